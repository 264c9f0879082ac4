// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLocal } from '#adapters/local/open.ts'
import { evidenceFiles, MAX_EVIDENCE_FILES } from '#cli/evidence/files.ts'
import { parseHead, signHead } from '#core/api/head.ts'
import { logOriginOf } from '#core/api/log.ts'
import { compactHash, encodeLeaf } from '#core/block/leaf.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { logSigner } from '#core/log/note/key.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { BlockId } from '#core/bytes/ids.ts'
import { toTimestamp, type Timestamp } from '#core/bytes/timestamp.ts'
import { writeWatched } from '#cli/monitor/watched.ts'
import { keepFinding } from '#core/server/monitor/against/findings.ts'
import { keepEvidence } from '#core/server/witness/evidence.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { LOG_ORIGIN, LOG_URL, servedLog } from '#tests/core/server/monitor/served-log.ts'
import { fileOf, linesOf } from '#tests/core/client/receipt/export-mutations.ts'
import { receiptAt } from '#tests/e2e/malicious/home.ts'
import { testLog } from '#tests/core/server/witness/test-log.ts'
import { copyOf, freshFolder, testPort } from '../harness.ts'
import { lines, told } from '../told.ts'

const VECTORS = fileURLToPath(new URL('../../vectors/ampere/evidence/', import.meta.url))
const vector = (name: string) => join(VECTORS, `${name}.ampere-evidence`)
const { vectors: pins } = JSON.parse(readFileSync(join(VECTORS, 'pins.json'), 'utf8')) as {
  vectors: { registry: string; logs: string[] }
}
const trusting = ['--registry', pins.registry, ...pins.logs.flatMap((log) => ['--log', log])]
const nowhere = freshFolder()
const made = freshFolder()
let record = ''

/** Lets an institution have seen a head, in a statement that the home really signed, of another block. */
async function haveSeen(
  folder: string,
  change: { height?: number; block?: BlockId; time?: Timestamp },
): Promise<void> {
  const file = join(folder, 'institutions', 'hospital-a', 'seen.json')
  const seen = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { statement: string }>
  const { head } = parseHead(seen[record]?.statement ?? '')
  const passphrase = readFileSync(join(folder, 'passphrase'), 'utf8').trim()
  const platform = openLocal({ folder: join(folder, 'home'), passphrase })
  const other = { ...head, ...change }
  const statement = await signHead(other, await platform.signer('head'))
  await platform.close()
  const { height, block } = other
  writeFileSync(file, JSON.stringify({ ...seen, [record]: { height, block, statement } }))
}

/** The evidence files of a folder, but the damaged one. */
function keptIn(folder: string): readonly string[] {
  return readdirSync(join(folder, 'evidence'))
    .filter((name) => name !== 'damaged.json')
    .map((name) => join(folder, 'evidence', name))
}

/** Puts receipts of a log into an export that the home signed with blocks 1 and 0 of the record, in this order. */
async function disorder(folder: string, file: string): Promise<void> {
  const exported = linesOf(readFileSync(file, 'utf8'))
  const blocks = exported.flatMap((line) => ('block' in line ? [String(line['block'])] : []))
  const entries = [1, 0].map((height) => {
    const label = new Uint8Array(32).fill(height)
    return encodeLeaf({ label, hash: compactHash(blocks[height] ?? '') })
  })
  const passphrase = readFileSync(join(folder, 'passphrase'), 'utf8').trim()
  const platform = openLocal({ folder: join(folder, 'home'), passphrase })
  const settings = JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8')) as { origin: string }
  const origin = logOriginOf(settings.origin)
  const signers = [
    logSigner(origin, 'Ed25519', await platform.signer('log')),
    logSigner(origin, 'cosignature-ML-DSA-44', await platform.signer('log-quantum')),
  ]
  const root = merkleRoot(entries.map(leafHash))
  const body = { origin, size: 2, root, extensions: [] }
  const checkpoint = formatNote(await signCheckpoint(body, signers, Math.floor(Date.now() / 1000)))
  await platform.close()
  const under = digestOf(utf8(checkpoint))
  const receipts = [0, 1].map((of) => ({
    receipt: receiptAt(entries, 1 - of, checkpoint).slice(0, -checkpoint.length),
    of,
    under,
  }))
  const kept = exported.filter((line) => !('receipt' in line))
  writeFileSync(file, fileOf([...kept, { checkpoint }, ...receipts]))
}

beforeAll(async () => {
  const passphrase = ['--passphrase', 'generated', '--port', testPort(30)]
  await told(made, 'init', '--institution', 'hospital-a=Hospital A', ...passphrase)
  const file = join(dirname(made), 'patient.json')
  const patient = { resourceType: 'Patient', id: 'p1', name: [{ family: 'Test' }] }
  const request = { method: 'PUT', url: 'Patient/p1' }
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: patient, request }] }
  writeFileSync(file, JSON.stringify(bundle))
  await told(made, 'import', file)
  const [item] = (await told(made, 'chain', 'list'))['items'] as { chain: string }[]
  record = item?.chain ?? ''
}, 60_000)

describe('evidence verify', () => {
  it.each(['heads-fork', 'checkpoints-prefix', 'blocks', 'labels', 'order', 'promise'])(
    'says of a file of kind %s what it proves, with nothing but keys',
    async (name) => {
      const { code, out } = await lines(nowhere, 'evidence', 'verify', vector(name), ...trusting)
      expect(code).toBe(0)
      expect(out).toMatch(/^Proved: the (home|log) .+\.\n {2}By /)
      expect(out).toContain('Not checked: who made the file')
      expect(await told(nowhere, 'evidence', 'verify', vector(name), ...trusting)).toMatchObject({
        exit: 0,
        ok: true,
        against: expect.stringContaining('home.test'),
      })
    },
  )

  it('exits with 3 for what does not convince, and with 1 for what is no evidence', async () => {
    const other = ['--registry', 'A'.repeat(43)]
    expect(await told(nowhere, 'evidence', 'verify', vector('heads-fork'), ...other)).toMatchObject({
      exit: 3,
      ok: false,
      problem: 'rule pinned: the evidence is of another registry than the pinned one',
    })
    const { code, err } = await lines(nowhere, 'evidence', 'verify', join(VECTORS, 'pins.json'), ...trusting)
    expect({ code, err: err.split('\n')[0] }).toEqual({
      code: 1,
      err: 'ampere: evidence is not canonical JSON (EVIDENCE_MALFORMED)',
    })
  })

  it('asks for the keys to trust instead of taking those of the file', async () => {
    const bare = await lines(nowhere, 'evidence', 'verify', vector('heads-fork'))
    expect(bare.code).toBe(2)
    expect(bare.err).toContain('this evidence needs the id of a registry that you trust: --registry ID')
    const odd = await lines(nowhere, 'evidence', 'verify', vector('labels'), '--log', 'key')
    expect(odd.code).toBe(2)
    expect(odd.err).toContain('--log: ')
  })
})

describe('evidence that commands keep', () => {
  it('is written once where a home denies what it signed, and convinces others', async () => {
    const folder = copyOf(made)
    await haveSeen(folder, { block: 'A'.repeat(43) as BlockId })
    const exported = await lines(folder, 'chain', 'export', record, join(folder, 'record.ampere'))
    expect(exported.code).toBe(3)
    expect(exported.err).toContain('rule forked: two blocks are claimed at height')
    const [, file = ''] =
      /Next: npx ampere evidence verify (?:--data \S+ )?(\S+\.json),/.exec(exported.err) ?? []
    expect((await lines(folder, 'chain', 'show', record)).out).toContain(`evidence is kept as ${file}`)
    expect(readdirSync(join(folder, 'evidence'))).toHaveLength(1)
    const settings = readFileSync(join(folder, 'settings.json'), 'utf8')
    const { registry } = JSON.parse(settings) as { registry: string }
    expect(await told(nowhere, 'evidence', 'verify', file, '--registry', registry)).toMatchObject({
      exit: 0,
      kind: 'heads',
      proves: expect.stringMatching(/two different blocks as the head at height \d+: a fork$/),
    })
    expect(await told(folder, 'evidence', 'list')).toMatchObject({
      exit: 0,
      items: [{ file, kind: 'heads', problem: null }],
    })
  })

  it('is written of a rollback only where the times leave no other reading', async () => {
    const folder = copyOf(made)
    const found = async (agoMs: number) => {
      await haveSeen(folder, { height: 99, time: toTimestamp(Date.now() - agoMs) })
      return (await lines(folder, 'chain', 'show', record)).out
    }
    const early = await found(0)
    expect(early).toContain('Height 99 was seen')
    expect(early).not.toContain('evidence')
    expect(await found(121_000)).toContain('evidence is kept as')
    expect((await told(folder, 'evidence', 'list'))['items']).toMatchObject([
      { proves: expect.stringMatching(/: a rollback$/) },
    ])
  })

  it('lists what the home as a witness holds against a log, no mere leads, and what was damaged', async () => {
    const folder = copyOf(made)
    expect((await lines(folder, 'evidence', 'list')).out).toBe('Nothing is kept against anybody.\n')
    const [log, fork] = [await testLog(1), await testLog(1, 2)]
    const platform = openLocal({ folder: join(folder, 'home'), passphrase: null })
    const tables = { tables: { witness: platform.table('witness') } }
    await addLog(tables, log.origin, log.keys)
    const notes = { origin: log.origin, cosigned: await log.note(5), refused: await fork.note(5) }
    await keepEvidence(tables.tables.witness, Date.now(), { kind: 'same-size', ...notes })
    await keepEvidence(tables.tables.witness, Date.now(), {
      kind: 'unproved',
      ...notes,
      refused: await fork.note(7),
    })
    await platform.close()
    const damaged = join(folder, 'evidence', 'damaged.json')
    mkdirSync(join(folder, 'evidence'), { recursive: true })
    writeFileSync(damaged, 'damaged')
    for (const _ of [1, 2])
      expect((await told(folder, 'evidence', 'list'))['items']).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ against: log.origin, proves: expect.stringContaining('a split view') }),
          {
            file: damaged,
            kind: null,
            against: null,
            proves: null,
            problem: 'evidence is not canonical JSON',
          },
        ]),
      )
    const [file = ''] = keptIn(folder)
    expect(await told(folder, 'evidence', 'verify', file)).toMatchObject({
      exit: 0,
      against: log.origin,
      whose: ['a log that is cosigned here'],
    })
  })

  it('is written where the receipts in a file show a log that is out of order, and is what to look at next', async () => {
    const folder = copyOf(made)
    const file = join(folder, 'record.ampere')
    expect((await lines(folder, 'chain', 'export', record, file)).code).toBe(0)
    await disorder(folder, file)
    const { code, out } = await lines(folder, 'verify', file)
    expect(code).toBe(3)
    expect(out).toMatch(/FAILED block 1: forked\. .*evidence is kept as .*\.json \(rule leaf-order\)/)
    expect(out).toMatch(/Next: npx ampere evidence verify .*\.json, and keep a copy/)
    expect((await told(folder, 'evidence', 'list'))['items']).toMatchObject([
      { kind: 'order', proves: expect.stringContaining('out of order') },
    ])
  })

  it('lists what the home as a monitor found of a log that convicts it, and none of its leads', async () => {
    const folder = copyOf(made)
    const log = await servedLog()
    writeWatched(folder, { origin: LOG_ORIGIN, url: LOG_URL, policy: log.policy })
    const [honest, fork, smaller] = [await log.grow(7), await log.grow(7, { forkAt: 3 }), await log.grow(5)]
    const platform = openLocal({ folder: join(folder, 'home'), passphrase: null })
    const found = { origin: LOG_ORIGIN, leaves: [], hashes: [] }
    const table = platform.table('monitored')
    await keepFinding(table, Date.now(), { ...found, kind: 'same-size', notes: [honest, fork] })
    await keepFinding(table, Date.now(), { ...found, kind: 'rollback', notes: [honest, smaller] })
    await platform.close()
    for (const _ of [1, 2])
      expect((await told(folder, 'evidence', 'list'))['items']).toEqual([
        expect.objectContaining({ against: LOG_ORIGIN, proves: expect.stringContaining('a split view') }),
      ])
    const [file = ''] = keptIn(folder)
    const { code, out } = await lines(folder, 'evidence', 'verify', file)
    expect(code).toBe(0)
    expect(out).toMatch(/^ {2}By log keys .+ \(a log that is monitored here\)/m)
  })

  it('fills no disk', async () => {
    const folder = freshFolder()
    const bytes = (name: string) => readFileSync(vector(name))
    const first = await evidenceFiles(folder)(bytes('blocks'))
    expect(await evidenceFiles(folder)(bytes('blocks'))).toBe(first)
    for (let i = 1; i < MAX_EVIDENCE_FILES; i++) writeFileSync(join(folder, 'evidence', `${i}.json`), '')
    await expect(evidenceFiles(folder)(bytes('labels'))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(await evidenceFiles(folder)(bytes('blocks'))).toBe(first)
  })
})
