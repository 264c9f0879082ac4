// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { parseCosignatures } from '#core/log/add-checkpoint.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parseNote } from '#core/log/note/note.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { addCheckpoint } from '#core/server/witness/add-checkpoint.ts'
import { keepEvidence, listEvidence, MAX_EVIDENCE } from '#core/server/witness/evidence.ts'
import { logIdOf } from '#core/server/witness/log-row.ts'
import { addLog, listLogs, MAX_LOG_KEYS, readCosigned, removeLog } from '#core/server/witness/logs.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { logOf, testLog, type TestLog } from './test-log.ts'
import { NAME, testWitness, WITNESS, type TestWitness } from './witness.ts'

const times = (answer: { readonly body: string }) =>
  parseCosignatures(answer.body).map(({ blob }) =>
    Number(new DataView(blob.buffer, blob.byteOffset).getBigUint64(0)),
  )

describe('a witness', () => {
  it('cosigns with Ed25519 and ML-DSA-44 under one name, at one time that is its clock', async () => {
    const log = await testLog()
    const { ask, clock, keys } = await testWitness(log)
    const answer = await ask(0, 5)
    expect(answer.status).toBe(200)
    expect(parseCosignatures(answer.body).map(({ name, id }) => ({ name, id }))).toEqual(
      keys.map(({ id }) => ({ name: NAME, id })),
    )
    expect(keys.map(({ type }) => type)).toEqual(['cosignature-Ed25519', 'cosignature-ML-DSA-44'])
    expect(times(answer)).toEqual([clock.now / 1000, clock.now / 1000])
    const note = `${await log.note(5)}${answer.body}`
    const known = { logs: log.signers.map(({ key }) => key), cosigners: keys }
    expect((await openCheckpoint(note, known, WITNESS.verifiers)).cosignatures).toHaveLength(2)
  })

  it('never goes back in time, and never cosigns at time 0', async () => {
    const { ask, clock } = await testWitness(await testLog())
    clock.now = 0
    expect(times(await ask(0, 5))).toEqual([1, 1])
    clock.now = 9_000_000
    expect(times(await ask(5, 6))).toEqual([9000, 9000])
    clock.now = 5_000_000
    expect(times(await ask(6, 7))).toEqual([9000, 9000])
    expect(times(await ask(7, 7))).toEqual([9000, 9000])
  })

  it('cosigns the same tree anew an hour later, with that hour', async () => {
    const { ask, clock, served } = await testWitness(await testLog())
    const first = await ask(0, 5)
    clock.now += 3_600_000
    const second = await ask(5, 5)
    expect(times(second)[0]).toBe((times(first)[0] ?? 0) + 3600)
    expect(await served()).toBe(5)
  })

  it('signs the same statement once a second, however often it is asked', async () => {
    const counted: ReturnType<typeof countCalls>[] = []
    const { ask } = await testWitness(await testLog(), (base) => {
      const counting = countCalls(base)
      counted.push(counting)
      return counting.platform
    })
    const first = await ask(0, 5)
    counted[0]?.reset()
    expect(await ask(5, 5)).toEqual(first)
    expect(counted[0]?.counts()).toEqual({ 'table.witness.get': 1 })
  })

  it('costs one read, two signatures and one swap', async () => {
    const counted: ReturnType<typeof countCalls>[] = []
    const { ask } = await testWitness(await testLog(), (base) => {
      const counting = countCalls(base)
      counted.push(counting)
      return counting.platform
    })
    await ask(0, 5)
    expect(counted[0]?.counts()).toEqual({
      'table.witness.get': 1,
      'key.witness.sign': 1,
      'key.witness-quantum.sign': 1,
      'table.witness.swap': 1,
    })
  })

  it('keeps the signatures of the log that an earlier request of the same tree brought', async () => {
    const signers = [
      await signerOf('two.example/log', 'Ed25519', 1),
      await signerOf('two.example/log', 'cosignature-ML-DSA-44', 2),
    ]
    const log = logOf(signers)
    const { ports, ask, clock } = await testWitness(log)
    await ask(0, 5)
    clock.now += 5000
    expect((await ask(5, 5, logOf(signers.slice(0, 1)))).status).toBe(200)
    const { signatures } = parseNote(await readCosigned(ports, logIdOf(log.origin)))
    expect(signatures.map(({ id }) => id).slice(0, 2)).toEqual(signers.map(({ key }) => key.id))
    expect(signatures).toHaveLength(4)
  })

  it('keeps no signature that it did not verify', async () => {
    const log = await testLog()
    const { ports, ask } = await testWitness(log)
    const strange = (await (await testLog(2)).note(1)).split('\n').at(-2) ?? ''
    const body = `${await log.request(0, 5)}${strange}\n`
    expect((await addCheckpoint(ports, WITNESS, utf8(body))).status).toBe(200)
    expect(parseNote(await readCosigned(ports, logIdOf(log.origin))).signatures).toHaveLength(3)
    expect((await ask(5, 6)).status).toBe(200)
  })

  it('refuses a request above 16 KiB, and one at 16 KiB only for what is in it', async () => {
    const log = await testLog()
    const { ports } = await testWitness(log)
    const request = await log.request(0, 5)
    const padded = (length: number) => `${request}\u2014 pad ${'A'.repeat(length)}\n`
    const room = 16 * 1024 - utf8(padded(0)).length
    const fitting = padded(room - (room % 4))
    expect((await addCheckpoint(ports, WITNESS, utf8(fitting))).status).toBe(200)
    expect((await addCheckpoint(ports, WITNESS, utf8(padded(room + 4)))).status).toBe(400)
  })

  it('says that its store is damaged instead of cosigning by what was changed', async () => {
    const log = await testLog()
    const { ports, ask } = await testWitness(log)
    await ask(0, 5)
    const row = await ports.tables.witness.get('logs', logIdOf(log.origin))
    const text = fromUtf8(row?.value ?? new Uint8Array(0))
    for (const damage of [
      text.slice(1),
      text.replace(log.origin, 'log-2.example/log'),
      text.replace('"time":', '"times":'),
      text.replace('\\n5\\n', '\\n05\\n'),
    ]) {
      const version = (await ports.tables.witness.get('logs', logIdOf(log.origin)))?.version ?? null
      await ports.tables.witness.swap('logs', logIdOf(log.origin), version, utf8(damage))
      await expect(ask(5, 6)).rejects.toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    }
  })
})

describe('the logs of a witness', () => {
  const statuses = async ({ ask }: TestWitness, other: TestLog) => [
    (await ask(5, 6, other)).status,
    (await ask(0, 6, other)).status,
  ]

  it('are those that were added, by their origin', async () => {
    const [log, second] = [await testLog(1), await testLog(2)]
    const { ports, ask } = await testWitness(log)
    expect((await ask(0, 1, second)).status).toBe(404)
    await addLog(ports, second.origin, second.keys)
    expect((await ask(0, 1, second)).status).toBe(200)
    const listed = await listLogs(ports)
    expect(listed.map(({ origin }) => origin).toSorted()).toEqual([log.origin, second.origin])
    const found = listed.find(({ origin }) => origin === second.origin)
    expect([found?.keys.map(formatVerifierKey), found?.cosigned?.checkpoint.size]).toEqual([second.keys, 1])
  })

  it('are forgotten when they are removed, but what was cosigned is not, also not for who adds them again', async () => {
    const [log, fork] = [await testLog(1), await testLog(1, 2)]
    const witness = await testWitness(log)
    await witness.ask(0, 5)
    await removeLog(witness.ports, log.origin)
    expect(await statuses(witness, log)).toEqual([404, 404])
    expect(await listLogs(witness.ports)).toEqual([])
    expect(await witness.served()).toBe(5)
    await addLog(witness.ports, log.origin, log.keys)
    expect(await statuses(witness, fork)).toEqual([422, 409])
    expect(await statuses(witness, log)).toEqual([200, 409])
  })

  it('may have other keys later, for the same tree', async () => {
    const log = await testLog(1)
    const witness = await testWitness(log)
    await witness.ask(0, 5)
    const rotated = logOf([await signerOf(log.origin, 'Ed25519', 9)])
    expect(await statuses(witness, rotated)).toEqual([403, 403])
    await addLog(witness.ports, log.origin, rotated.keys)
    expect(await statuses(witness, log)).toEqual([403, 403])
    expect(await statuses(witness, rotated)).toEqual([200, 409])
  })

  it('have keys that are theirs, each once, and not too many', async () => {
    const [log, second] = [await testLog(1), await testLog(2)]
    const { ports } = await testWitness(log)
    const [key = ''] = log.keys
    for (const keys of [
      [],
      second.keys,
      [key, key],
      Array.from({ length: MAX_LOG_KEYS + 1 }, () => key),
      ['x'],
    ])
      await expect(addLog(ports, log.origin, keys)).rejects.toThrow(
        expect.objectContaining({ code: 'LOG_MALFORMED' }),
      )
    await expect(removeLog(ports, second.origin)).resolves.toBeUndefined()
  })
})

describe('the evidence of a witness', () => {
  const kept = async ({ ports }: TestWitness, { origin }: TestLog) =>
    (await listEvidence(ports, origin)).map(({ kind, cosigned, refused }) => [
      kind,
      ...[cosigned, refused].map((note) => Number(note.split('\n')[1])),
    ])

  it('is two signed roots of one size, which anybody can check', async () => {
    const [log, fork] = [await testLog(1), await testLog(1, 2)]
    const witness = await testWitness(log)
    await witness.ask(0, 5)
    expect((await witness.ask(5, 5, fork)).status).toBe(422)
    const [evidence] = await listEvidence(witness.ports, log.origin)
    const known = { logs: log.signers.map(({ key }) => key), cosigners: witness.keys }
    const opened = await Promise.all(
      [evidence?.cosigned ?? '', evidence?.refused ?? ''].map((note) =>
        openCheckpoint(note, known, WITNESS.verifiers),
      ),
    )
    expect(opened.map(({ checkpoint }) => checkpoint)).toEqual([
      { origin: log.origin, size: 5, root: log.root(5), extensions: [] },
      { origin: log.origin, size: 5, root: fork.root(5), extensions: [] },
    ])
    expect(opened.map(({ cosignatures }) => cosignatures.length)).toEqual([2, 0])
    expect(evidence).toMatchObject({ kind: 'same-size', time: '2026-11-01T08:00:00.000Z' })
  })

  it('is kept whatever else is wrong with the request', async () => {
    const [log, fork] = [await testLog(1), await testLog(1, 2)]
    const witness = await testWitness(log)
    await witness.ask(0, 5)
    expect((await witness.ask(0, 5, fork)).status).toBe(409)
    expect(await kept(witness, log)).toEqual([['same-size', 5, 5]])
  })

  it('is a lead where a proof of the right length does not verify, and nothing where it is no such proof', async () => {
    const [log, fork] = [await testLog(1), await testLog(1, 2)]
    const witness = await testWitness(log)
    await witness.ask(0, 5)
    const longer = (await fork.request(5, 9)).replace('\n', `\n${'A'.repeat(43)}=\n`)
    expect((await addCheckpoint(witness.ports, WITNESS, utf8(longer))).status).toBe(422)
    expect(await kept(witness, log)).toEqual([])
    expect((await witness.ask(5, 9, fork)).status).toBe(422)
    expect(await kept(witness, log)).toEqual([['unproved', 5, 9]])
  })

  it('is nothing that only a stranger signed, or an old tree, or a log that goes on', async () => {
    const log = await testLog(1)
    const witness = await testWitness(log)
    await witness.ask(0, 5)
    const stranger = logOf([await signerOf(log.origin, 'Ed25519', 9)], 2)
    expect((await witness.ask(5, 5, stranger)).status).toBe(403)
    expect((await witness.ask(3, 4)).status).toBe(409)
    expect((await witness.ask(5, 6)).status).toBe(200)
    expect(await kept(witness, log)).toEqual([])
  })

  it('is kept once, up to a number, and leads crowd out no proof', async () => {
    const log = await testLog(1)
    const witness = await testWitness(log)
    const fork = await testLog(1, 2)
    await witness.ask(0, 5)
    for (let i = 0; i < MAX_EVIDENCE + 4; i++) {
      await witness.ask(5, 6 + i, fork)
      await witness.ask(5, 6 + i, fork)
    }
    await witness.ask(5, 5, fork)
    const sizes = Array.from({ length: MAX_EVIDENCE }, (_, i) => ['unproved', 5, 6 + i])
    expect(await kept(witness, log)).toEqual([['same-size', 5, 5], ...sizes])
    expect(await kept(witness, await testLog(2))).toEqual([])
  })

  it('is kept once each when it comes several times at once', async () => {
    const log = await testLog(1)
    const { ports } = await testWitness(log)
    const cosigned = await log.note(5)
    const forks = await Promise.all([1, 2, 3].map(async (at) => (await testLog(1, at)).note(5)))
    // All of them look at the first place before any has taken it.
    const keep = (refused: string) =>
      keepEvidence(ports.tables.witness, 0, { kind: 'same-size', origin: log.origin, cosigned, refused })
    await Promise.all([...forks, ...forks].map(keep))
    const listed = await listEvidence(ports, log.origin)
    expect(listed.map(({ refused }) => refused)).toEqual(forks)
  })
})
