// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { copyOf, freshFolder, serveProcess, testPort, type Serving } from '../harness.ts'
import { lines, told } from '../told.ts'

// Our log is witnessed by theirs, whose folder is put back from a copy that was made after it had cosigned something.
const [ours, theirs] = [freshFolder(), freshFolder()]
const THEIR_URL = `http://127.0.0.1:${testPort(27)}`
let serving: Serving
let copy = ''

beforeAll(async () => {
  for (const [folder, id, port] of [
    [ours, 'st-anne', testPort(26)],
    [theirs, 'st-mary', testPort(27)],
  ] as const)
    await told(folder, 'init', '--institution', `${id}=${id}`, '--port', port)
  serving = await serveProcess(['start', '--data', theirs])
  const file = `${freshFolder()}.txt`
  writeFileSync(file, (await lines(ours, 'witness', 'status', '--keys')).out)
  await told(ours, 'witness', 'add', THEIR_URL, '--yes')
  await told(theirs, 'witness', 'accept', '--keys', file)
  await told(ours, 'instance', 'enrol')
}, 60_000)
afterAll(() => serving.kill())

const fingerprint = async (folder: string) =>
  ((await told(folder, 'witness', 'status', '--keys'))['fingerprints'] as { readonly witness: string })
    .witness

/** Sizes that are kept as cosigned. */
const cosigned = async (folder: string) =>
  (
    (await told(folder, 'witness', 'list'))['logs'] as {
      readonly cosigned: { readonly size: number } | null
    }[]
  ).map((log) => log.cosigned?.size ?? null)

describe('giving a witness new keys', () => {
  it('is refused while its home is served', async () => {
    const refused = await lines(theirs, 'witness', 'renew', '--yes')
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('stop the server first') })
    await serving.stop()
    copy = copyOf(theirs)
  })

  it('wants somebody to agree, and changes nothing before', async () => {
    const before = await fingerprint(copy)
    const refused = await lines(copy, 'witness', 'renew', '--no-input')
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('--yes is missing') })
    expect(await fingerprint(copy)).toBe(before)
    expect(await cosigned(copy)).toEqual([expect.any(Number)])
  })

  it('never forgets what keys cosigned that are still there, and finishes when it is repeated', async () => {
    const before = await fingerprint(copy)
    const database = (sql: string) => {
      const db = new DatabaseSync(join(copy, 'home', 'ampere.db'))
      db.exec(sql)
      db.close()
    }
    database(
      "CREATE TRIGGER full BEFORE INSERT ON rows WHEN NEW.tbl = 'witness' BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    expect(await told(copy, 'witness', 'renew', '--yes')).toMatchObject({ exit: 1 })
    const between = await fingerprint(copy)
    expect(between).not.toBe(before)
    expect(await cosigned(copy)).toEqual([expect.any(Number)])
    database('DROP TRIGGER full')
    const renewed = await told(copy, 'witness', 'renew', '--yes')
    const after = await fingerprint(copy)
    expect(renewed).toMatchObject({ exit: 0, before: between, fingerprint: after, removed: 0 })
    expect(after).not.toBe(between)
    expect(await cosigned(copy)).toEqual([null])
  })

  it('makes the log of another home count it only after its operator has added it again', async () => {
    serving = await serveProcess(['start', '--data', copy])
    const says = async () => (await lines(ours, 'witness', 'status')).out
    expect(await says()).toContain('quorum')
    expect((await lines(ours, 'witness', 'add', THEIR_URL, '--yes')).err).toContain('with other keys')
    // It is the only one: docs/OPERATIONS.md, "Witnesses".
    rmSync(join(ours, 'policy.txt'))
    await told(ours, 'witness', 'add', THEIR_URL, '--yes')
    expect(await told(ours, 'instance', 'enrol')).toMatchObject({ exit: 0 })
    expect(await told(ours, 'witness', 'status')).toMatchObject({ exit: 0, reached: true })
    expect(await cosigned(copy)).toEqual([expect.any(Number)])
  })
})
