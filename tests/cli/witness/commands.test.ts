// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { copyOf, freshFolder, run, serveProcess, testPort, type Serving } from '../harness.ts'
import { lines, told } from '../told.ts'

// Two homes of two operators: the first one's log is witnessed by the second, which is served all the time.
const [ours, theirs] = [freshFolder(), freshFolder()]
const THEIR_URL = `http://127.0.0.1:${testPort(24)}`
const [OUR_LOG, THEIR_WITNESS] = [`127.0.0.1:${testPort(23)}/log`, `127.0.0.1:${testPort(24)}/witness`]
const policyOf = (folder: string) => readFileSync(join(folder, 'policy.txt'), 'utf8')
let serving: Serving
/** Our home before it knew of witnesses, and after its first block was witnessed. */
let [bare, earlier] = ['', '']

beforeAll(async () => {
  for (const [folder, id, port] of [
    [ours, 'st-anne', testPort(23)],
    [theirs, 'st-mary', testPort(24)],
  ] as const)
    await told(folder, 'init', '--institution', `${id}=${id}`, '--port', port)
  serving = await serveProcess(['start', '--data', theirs])
  // The log's keys are made when the home is first opened.
  await handedOver(ours)
  bare = copyOf(ours)
  await told(ours, 'witness', 'add', THEIR_URL, '--yes')
  await told(theirs, 'witness', 'accept', '--keys', await handedOver(ours))
  await told(ours, 'instance', 'enrol')
  earlier = copyOf(ours)
  await told(ours, 'instance', 'enrol')
}, 60_000)
afterAll(() => serving.kill())

/** Replaces a row of the log's own checkpoints, as somebody with the database can. */
function setRow(folder: string, key: string, value: string): void {
  const db = new DatabaseSync(join(folder, 'home', 'ampere.db'))
  const change = "UPDATE rows SET value = ? WHERE tbl = 'checkpoints' AND part = 'log' AND key = ?"
  expect(db.prepare(change).run(new TextEncoder().encode(value), key).changes).toBe(1)
  db.close()
}

/** A file with what an operator hands over. */
async function handedOver(folder: string): Promise<string> {
  const file = `${freshFolder()}.txt`
  writeFileSync(file, (await lines(folder, 'witness', 'status', '--keys')).out)
  return file
}

describe('asking a witness', () => {
  it('takes fetched keys only when somebody confirms their fingerprint', async () => {
    const folder = copyOf(bare)
    const add = (...more: string[]) => lines(folder, 'witness', 'add', THEIR_URL, '--no-input', ...more)
    expect(await add()).toMatchObject({ code: 2, err: expect.stringContaining('--confirm FINGERPRINT, as') })
    expect(await add('--confirm', '0000 1111')).toMatchObject({ code: 2 })
    expect(existsSync(join(folder, 'policy.txt'))).toBe(false)
    const { witness } = (await told(theirs, 'witness', 'status', '--keys'))['fingerprints'] as {
      witness: string
    }
    expect(await add('--confirm', witness)).toMatchObject({ code: 0, err: expect.stringContaining(witness) })
    expect(policyOf(folder)).toBe(policyOf(ours))
  })

  it('needs no confirmation of keys that were handed over, and comes to the same policy', async () => {
    const folder = copyOf(bare)
    const file = await handedOver(theirs)
    expect(await told(folder, 'witness', 'add', '--keys', file, '--no-input')).toMatchObject({
      exit: 0,
      changed: true,
      quorum: { need: 1, of: 1 },
      effective: 'next-start',
    })
    expect(policyOf(folder)).toBe(policyOf(ours))
    const keys = [...policyOf(ours).matchAll(/^witness \S+ (\S+)/gm)].flatMap(([, key]) => [
      '--key',
      key ?? '',
    ])
    const url = `${THEIR_URL}/witness`
    expect(await told(folder, 'witness', 'add', url, ...keys)).toMatchObject({ exit: 0, changed: false })
  })

  it('changes nothing when it is asked already, and marks a witness of the same machine', async () => {
    const before = policyOf(ours)
    expect(await told(ours, 'witness', 'add', THEIR_URL, '--no-input')).toMatchObject({
      exit: 0,
      changed: false,
    })
    const { out } = await lines(ours, 'witness', 'add', THEIR_URL, '--no-input')
    expect(out).toContain('same machine: demonstrates, does not protect')
    expect(policyOf(ours)).toBe(before)
  })

  it('refuses the home itself, URLs that are none, and leaves the policy as it was', async () => {
    const before = policyOf(ours)
    for (const [code, ...args] of [
      [1, 'add', '--keys', await handedOver(ours)],
      [1, 'accept', '--keys', await handedOver(ours)],
      [1, 'add', `http://127.0.0.1:${testPort(25)}`],
      [2, 'add', 'ftp://x'],
      [2, 'add'],
      [2, 'add', THEIR_URL, '--key', 'a', '--keys', 'b'],
      [2, 'add', THEIR_URL, '--quorum', '2', '--yes'],
    ] as const)
      expect([args, (await lines(ours, 'witness', ...args)).code]).toEqual([args, code])
    expect(policyOf(ours)).toBe(before)
  })
})

describe('asking a witness no more', () => {
  it('wants somebody to agree, changes the policy once, and says that a server must be restarted', async () => {
    const folder = copyOf(ours)
    const remove = (...args: string[]) => lines(folder, 'witness', 'remove', THEIR_URL, '--no-input', ...args)
    expect(await remove('--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('nobody would be left to cosign'),
    })
    expect(policyOf(folder)).toBe(policyOf(ours))
    // A second one, so that the first can go.
    const other = `http://127.0.0.1:${testPort(25)}/witness`
    const key = 'witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU'
    expect(await told(folder, 'witness', 'add', other, '--key', key, '--quorum', '1')).toMatchObject({
      exit: 0,
    })
    const two = policyOf(folder)
    expect(await remove()).toMatchObject({ code: 2, err: expect.stringContaining('--yes is missing') })
    expect(policyOf(folder)).toBe(two)
    const removed = await remove('--yes')
    expect(removed).toMatchObject({
      code: 0,
      err: expect.stringContaining('from then on 1 of 1 must cosign'),
      out: expect.stringMatching(/until it is restarted.*others may say delay-unseen for good/s),
    })
    expect(await told(folder, 'witness', 'list')).toMatchObject({
      witnesses: [{ name: 'witness.example/w1' }],
    })
    expect(await told(folder, 'witness', 'remove', THEIR_WITNESS)).toMatchObject({
      exit: 1,
      code: 'NOT_FOUND',
      message: expect.stringContaining('there are: witness.example/w1'),
    })
  })

  it('changes nothing where nobody witnesses', async () => {
    expect(await told(bare, 'witness', 'remove', THEIR_URL)).toMatchObject({
      exit: 1,
      code: 'NOT_FOUND',
    })
    expect(existsSync(join(bare, 'policy.txt'))).toBe(false)
  })
})

describe('the status of witnesses', () => {
  it('is ok when the newest checkpoint has the quorum', async () => {
    expect(await told(ours, 'witness', 'status')).toMatchObject({
      exit: 0,
      ok: true,
      log: OUR_LOG,
      reached: true,
      witnesses: [
        { name: THEIR_WITNESS, reachable: true, alarm: null, cosigned: { size: expect.any(Number) } },
      ],
    })
  })

  it('is an alarm, with exit code 3, where the stores are an older copy than what was witnessed', async () => {
    const rolledBack = await told(earlier, 'witness', 'status')
    expect(rolledBack).toMatchObject({ exit: 3, ok: false, witnesses: [{ alarm: 'rollback' }] })
    const forked = copyOf(earlier)
    const enrol = ['instance', 'enrol', 'ward-7']
    expect(await told(forked, ...enrol)).toMatchObject({ exit: 1, code: 'STORE_CORRUPT' })
    // Another block than the one that was witnessed at that place, while no witness is asked.
    const policy = policyOf(forked)
    rmSync(join(forked, 'policy.txt'))
    expect(await told(forked, ...enrol)).toMatchObject({ exit: 0 })
    writeFileSync(join(forked, 'policy.txt'), policy)
    expect(await told(forked, 'instance', 'enrol', 'ward-8')).toMatchObject({ exit: 1 })
    expect(await told(forked, 'witness', 'status')).toMatchObject({ exit: 3, witnesses: [{ alarm: 'fork' }] })
    expect((await lines(forked, 'witness', 'status')).out).toContain('ALARM it has cosigned another history')
    // The witness was shown both, and keeps what convicts the log.
    expect((await lines(theirs, 'witness', 'list')).out).toContain('PROOF of two histories: 1')
  })

  it('fails with exit code 1 where the quorum is not reached, and says that the witness does not answer', async () => {
    const folder = copyOf(bare)
    const keys = await handedOver(theirs)
    const nowhere = `http://127.0.0.1:${testPort(25)}/witness`
    await told(folder, 'witness', 'add', nowhere, '--keys', keys)
    expect((await lines(folder, 'witness', 'status')).out).toContain('quorum NOT reached: 1 of 1 must cosign')
    expect(await told(folder, 'witness', 'status')).toMatchObject({
      exit: 1,
      reached: false,
      witnesses: [{ reachable: false, why: 'it cannot be reached (ECONNREFUSED)' }],
    })
  })

  it('says what a witness cosigned last that cannot be reached, and that it is nothing since', async () => {
    const folder = copyOf(ours)
    const nowhere = `http://127.0.0.1:${testPort(25)}/witness`
    writeFileSync(join(folder, 'policy.txt'), policyOf(ours).replaceAll(`${THEIR_URL}/witness`, nowhere))
    const [before] = (await told(folder, 'witness', 'list'))['witnesses'] as { cosigned: { size: number } }[]
    const size = before?.cosigned.size ?? 0
    await told(folder, 'instance', 'enrol')
    expect(await told(folder, 'witness', 'status')).toMatchObject({
      exit: 1,
      witnesses: [{ reachable: false, cosigned: null, last: { size, time: expect.any(Number) } }],
    })
    const says = new RegExp(`cosigned ${size} (leaf|leaves) .*, and nothing since`)
    expect((await lines(folder, 'witness', 'status')).out).toMatch(says)
    expect((await lines(folder, 'witness', 'list')).out).toMatch(says)
  })

  it('is an alarm, with exit code 3, where the log cannot go on, although all cosigned; doctor says it too', async () => {
    const folder = copyOf(ours)
    const before = await lines(folder, 'doctor')
    expect([before.code, before.out]).toEqual([0, expect.stringMatching(/ok +Witnesses +1 witness/)])
    expect(before.out).toMatch(/ok +Log +\d+ leaves/)
    setRow(folder, 'tree', '{}')
    expect(await told(folder, 'witness', 'status')).toMatchObject({ exit: 3, ok: false, reached: true })
    const after = await lines(folder, 'doctor')
    expect([after.code, after.out]).toEqual([
      1,
      expect.stringMatching(/WRONG +Log +it cannot go on: .*tree-row/),
    ])
    expect((await lines(folder, 'witness', 'status')).out).toContain('ALARM the log cannot go on')
  })

  it('is looked at by doctor: an older copy, and a witness that does not answer', async () => {
    const older = await lines(earlier, 'doctor')
    expect([older.code, older.out]).toEqual([1, expect.stringMatching(/WRONG +Witnesses +cosigned another/)])
    expect(older.out).toContain('(rollback)')
    const folder = copyOf(bare)
    const keys = await handedOver(theirs)
    await told(folder, 'witness', 'add', `http://127.0.0.1:${testPort(25)}/witness`, '--keys', keys)
    const unreachable = await lines(folder, 'doctor')
    expect([unreachable.code, unreachable.out]).toEqual([
      0,
      expect.stringMatching(/note +Witnesses +.*it cannot be reached/),
    ])
  })

  it('says that nobody witnesses where there is no policy', async () => {
    expect(await told(bare, 'witness', 'status')).toMatchObject({ exit: 0, witnesses: [], quorum: null })
  })
})

describe('the list of witnesses', () => {
  it('shows both directions with what was cosigned last', async () => {
    const [mine, other] = [await told(ours, 'witness', 'list'), await told(theirs, 'witness', 'list')]
    const cosigned = { size: expect.any(Number), time: expect.any(Number) }
    expect(mine).toMatchObject({
      quorum: { need: 1, of: 1 },
      witnesses: [{ name: THEIR_WITNESS, cosigned }],
      logs: [],
    })
    expect(other).toMatchObject({ witnesses: [], logs: [{ origin: OUR_LOG, cosigned }] })
    expect((await lines(theirs, 'witness', 'list')).out).toContain(OUR_LOG)
  })
})

describe('cosigning for another log', () => {
  it('is taken up by a server that runs, once, and ends when it is stopped', async () => {
    const file = await handedOver(ours)
    const accept = (...args: string[]) => told(theirs, 'witness', 'accept', ...args)
    expect(await accept('--keys', file)).toMatchObject({ exit: 0, changed: false, log: OUR_LOG })
    expect(await accept('--stop', OUR_LOG)).toMatchObject({ exit: 0, changed: true })
    expect(await accept('--stop', OUR_LOG)).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    // What it signed against itself stays listed, and is a file now: its keys are known here no more.
    expect(await told(theirs, 'witness', 'list')).toMatchObject({
      logs: [{ origin: OUR_LOG, fingerprint: null, evidence: { proofs: 1, leads: 0 } }],
    })
    expect((await lines(theirs, 'witness', 'list')).out).toContain(
      'cosigned no more; PROOF of two histories: 1',
    )
    expect(readdirSync(join(theirs, 'evidence'))).toHaveLength(1)
    expect(await accept('--keys', file)).toMatchObject({ exit: 0, changed: true, effective: 'now' })
    expect(await told(theirs, 'witness', 'list')).toMatchObject({ logs: [{ origin: OUR_LOG }] })
  })

  it('refuses another fingerprint also of keys that are known already', async () => {
    const other = ['--keys', await handedOver(ours), '--confirm', '0000 1111']
    const accepted = await run(['witness', 'accept', ...other, '--data', theirs])
    expect(accepted).toMatchObject({ code: 2, err: expect.stringContaining('another fingerprint') })
    const again = ['witness', 'add', THEIR_URL, '--confirm', '0000 1111', '--data', ours]
    expect(await run(again)).toMatchObject({ code: 2, err: expect.stringContaining('another fingerprint') })
  })

  it('asks again before a log that is known gets other keys', async () => {
    const [first] = [...policyOf(ours).matchAll(/^log (\S+)/gm)].map(([, key]) => key ?? '')
    const ended = await run(['witness', 'accept', '--key', first ?? '', '--no-input', '--data', theirs])
    expect(ended).toMatchObject({ code: 2, err: expect.stringContaining('cosigned here under other keys') })
  })
})
