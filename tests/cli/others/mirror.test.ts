// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openKeyring } from '#adapters/local/keys/keyring.ts'
import { openLocal } from '#adapters/local/open.ts'
import { setUp } from '#cli/deployment/set-up.ts'
import type { Settings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { readGivenPolicy } from '#cli/mirror/given-policy.ts'
import { witnessIn } from '#cli/witness/renewal.ts'
import { formatVerifierKey, logKey } from '#core/log/note/key.ts'
import { addMirroredHome, openMirrored, readMirrored, writeMirrored } from '#cli/open/mirror.ts'
import { asDeploymentId, asInstitutionId, type ChainId } from '#core/bytes/ids.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { copyOf } from '#core/server/mirror/copy-of.ts'
import { noteFailedRuns, noteLastRun } from '#core/server/mirror/last-run.ts'
import { localTime } from '#cli/terminal/words.ts'
import { MIRRORED_KEY } from '#core/server/mirror/statement.ts'
import { mirrorChains } from '#core/server/mirror/mirror.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { jsonOf, lost, run, runProcess } from '../harness.ts'
import { told } from '../told.ts'

const root = mkdtempSync(join(tmpdir(), 'ampere-mirror-cli-'))
const [folder, mirror] = [join(root, 'home'), join(root, 'mirror')]
const PASSPHRASE = 'of a test that protects nothing'
let settings: Settings
let record: ChainId

/** A home of two institutions, of which B holds a record; its mirror is the folder beside. */
beforeAll(async () => {
  const origin = 'http://127.0.0.1:19997'
  const institutions = ['hospital-a', 'hospital-b'].map((id) => ({ id, name: id }))
  const passphrase = { kind: 'generated' } as const
  const keep = async (there: string) => {
    mkdirSync(there, { recursive: true })
    writeFileSync(join(there, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 })
    return PASSPHRASE
  }
  settings = await setUp(folder, { origin, institutions, demo: true, passphrase }, keep)
  const home = await openHome(folder, settings, PASSPHRASE, silentLog)
  const a = connectInstitution(await openInstitution(folder, 'hospital-a', PASSPHRASE), settings, home.fetch)
  const place = { deployment: asDeploymentId(settings.deployment), origin }
  ;({ record } = await createRecord(a, place, ['general']))
  await shareRecord(a, record, { institution: asInstitutionId('hospital-b'), rights: ['hold'] })
  await a.append(record, [{ header: utf8('{}'), content: utf8('kept'), compartment: 'general' }])
  await home.tendLog()
  const { deployment, registry, log } = settings
  const institution = asInstitutionId('hospital-b')
  writeMirrored(folder, [
    { deployment: asDeploymentId(deployment), origin, registry, log: [...log], institution },
  ])
  const platform = openLocal({ folder: join(mirror, 'home'), passphrase: PASSPHRASE, fetch: home.fetch })
  for (const { ports, home: mirrored } of await openMirrored(
    folder,
    'http://127.0.0.1:19996',
    platform,
    PASSPHRASE,
  ))
    expect(await mirrorChains(ports, mirrored)).toMatchObject({ chains: 2, problems: [] })
  await platform.close()
  await home.platform.close()
}, 60_000)
afterAll(() => rmSync(root, { recursive: true }))

/** By the key file alone: before the restore there is no home that could be asked. */
async function fingerprints(): Promise<{ readonly log: string; readonly witness: string }> {
  const file = join(folder, 'home', 'keys.json')
  const keyring = openKeyring(file, PASSPHRASE, (length) => crypto.getRandomValues(new Uint8Array(length)))
  const log = (await keyring.signer('log', 'Ed25519')).kid
  return { log, witness: (await witnessIn(file, PASSPHRASE, settings.origin)).fingerprint }
}

/** An environment in which a process ends itself by SIGKILL when it is about to rename that folder. */
function killedAtRename(from: string): { readonly NODE_OPTIONS: string } {
  const source = `import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const real = fs.renameSync
    fs.renameSync = (from, to) => {
      if (from === ${JSON.stringify(from)}) process.kill(process.pid, 'SIGKILL')
      return real(from, to)
    }
    syncBuiltinESMExports()`
  return {
    NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(source).toString('base64')}`,
  }
}

describe('ampere mirror', () => {
  it('restores a lost home from the folder of its mirror, once, and all verifies', async () => {
    const refused = await run(['mirror', 'restore', mirror, '--data', folder])
    expect(refused.err).toContain('nothing is overwritten')
    // A damage that no repair decides, and what docs/OPERATIONS.md, "When stores are damaged", says to do about it.
    const database = new DatabaseSync(join(folder, 'home', 'ampere.db'))
    const rows = "rows WHERE tbl = 'blocks' AND part = ?"
    database.prepare(`DELETE FROM ${rows} AND key = (SELECT max(key) FROM ${rows})`).run(record, record)
    database.close()
    const found = await run(['audit', '--stores', '--data', folder])
    expect(found).toMatchObject({
      code: 3,
      out: expect.stringContaining('Do: restore the home from a mirror (docs/OPERATIONS.md, "When stores'),
    })
    mkdirSync(join(root, 'lost'))
    for (const name of readdirSync(join(folder, 'home')).filter((file) =>
      /^(ampere\.db.*|objects)$/.test(file),
    ))
      renameSync(join(folder, 'home', name), join(root, 'lost', name))
    const before = await fingerprints()
    const restored = await run(['mirror', 'restore', mirror, '--data', folder, '--json'])
    expect(restored).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(restored)).toMatchObject({ ok: true, chains: 2, losses: [], unexplained: 0 })
    expect(readdirSync(folder).filter((name) => name.startsWith('home.restoring'))).toEqual([])
    // No mirror has what the witness cosigned: with its old keys it would cosign a second history of some log.
    const after = await fingerprints()
    expect(after.log).toBe(before.log)
    expect(after.witness).not.toBe(before.witness)
    expect(jsonOf(restored)).toMatchObject({ witness: { fingerprint: after.witness } })
    const [kept = ''] = readdirSync(folder).filter((name) => name.startsWith('home.lost-'))
    expect((await witnessIn(join(folder, kept, 'keys.json'), PASSPHRASE, settings.origin)).fingerprint).toBe(
      after.witness,
    )
    const audited = await run(['audit', '--stores', '--data', folder, '--json'])
    expect(jsonOf(audited)).toMatchObject({ ok: true, chains: 2, problems: [] })
    const file = join(root, 'record.ampere')
    expect(await run(['chain', 'export', record, file, '--data', folder])).toMatchObject({ code: 0 })
    const verified = await run(['verify', file, '--data', folder, '--json'])
    expect(jsonOf(verified)).toMatchObject({ ok: true, chain: record, problems: [] })
  })

  it('serves no old witness keys wherever a restore is killed while it puts the home in its place', async () => {
    const old = join(root, 'old-keys.json')
    cpSync(join(folder, 'home', 'keys.json'), old)
    const before = await fingerprints()
    const lose = (keys: string) => {
      renameSync(join(folder, 'home'), mkdtempSync(join(root, 'lost-')))
      mkdirSync(join(folder, 'home'))
      cpSync(keys, join(folder, 'home', 'keys.json'))
    }
    lose(old)
    const args = ['mirror', 'restore', mirror, '--data', folder]
    expect(await runProcess(args, killedAtRename(join(folder, 'home')))).toMatchObject({ code: -1 })
    expect(existsSync(join(folder, 'home', 'ampere.db'))).toBe(false)
    // What was about to be the home has other keys already.
    const prepared = join(folder, 'home.restoring', 'keys.json')
    expect((await witnessIn(prepared, PASSPHRASE, settings.origin)).fingerprint).not.toBe(before.witness)
    expect(await runProcess(args, killedAtRename(join(folder, 'home.restoring')))).toMatchObject({ code: -1 })
    // The key file that was there went with the lost home; what is put back is a backup, with the old keys.
    expect(existsSync(join(folder, 'home'))).toBe(false)
    mkdirSync(join(folder, 'home'))
    cpSync(old, join(folder, 'home', 'keys.json'))
    expect(await run(args)).toMatchObject({ code: 0 })
    const after = await fingerprints()
    expect([after.log, after.witness === before.witness]).toEqual([before.log, false])
  })

  it('knows the policy of a home by a file, and keeps it until another one is given', () => {
    const there = mkdtempSync(join(tmpdir(), 'ampere-mirrored-'))
    const { deployment, origin, registry } = settings
    const logs = settings.log.map((key) => `log ${key}\n`).join('')
    const file = (text: string) => {
      writeFileSync(join(there, 'policy'), text)
      return readGivenPolicy(join(there, 'policy'), origin)
    }
    const keyOf = (name: string) =>
      formatVerifierKey(logKey(name, 'cosignature-ML-DSA-44', new Uint8Array(1312)))
    const witness = keyOf('w.example/witness')
    const witnessed = file(`${logs}witness w ${witness}\nquorum w\n`)
    expect(witnessed).toMatchObject({ log: settings.log, policy: expect.stringContaining('quorum w\n') })
    expect(file(logs)).toEqual({ log: settings.log })
    expect(() => file(`log ${keyOf('other.example/log')}\n`)).toThrow(/no line for the log/)
    const institution = asInstitutionId('hospital-b')
    const entry = {
      deployment: asDeploymentId(deployment),
      origin,
      registry,
      log: [...settings.log],
      institution,
    }
    expect(addMirroredHome(there, { ...entry, ...witnessed })).toBe(true)
    expect(addMirroredHome(there, entry)).toBe(false)
    expect(readMirrored(there)).toMatchObject([{ policy: witnessed.policy }])
    rmSync(there, { recursive: true })
  })

  it('says that a home was not copied yet', async () => {
    const status = await run(['mirror', 'status', '--data', folder, '--json'])
    expect(jsonOf(status)).toMatchObject({ ok: false, homes: [{ deployment: 'home-1', last: null }] })
  })

  it('ends with 1 for a home that is not reached for minutes, and with 3 for one that does not verify', async () => {
    const platform = openLocal({ folder: join(folder, 'home'), passphrase: PASSPHRASE })
    const stores = {
      tables: { mirror: platform.table('mirror'), 'mirror-keys': platform.table('mirror-keys') },
      objects: { mirror: platform.objects('mirror') },
    }
    const copy = copyOf(stores, asDeploymentId(settings.deployment))
    const time = toTimestamp(Date.now())
    await noteLastRun(copy, { v: 1, time, chains: 2, logSize: 5, problems: 0 })
    const failing = async (ago: number, code: string, rule: string | null) => {
      const since = toTimestamp(Date.now() - ago)
      await noteFailedRuns(copy, { v: 1, since, time, code, rule })
      const status = await run(['mirror', 'status', '--data', folder, '--json'])
      const doctor = await run(['doctor', '--data', folder, '--json'])
      const { checks } = jsonOf(doctor) as { checks: { name: string; status: string; says: string }[] }
      const { ok, homes } = jsonOf(status) as { ok: boolean; homes: { verdict: string }[] }
      return [
        status.code,
        ok,
        homes.map(({ verdict }) => verdict),
        checks.find(({ name }) => name === 'Mirrors')?.status,
      ]
    }
    expect(await failing(60_000, 'UPSTREAM_FAILED', null)).toEqual([0, true, ['ok'], 'ok'])
    expect(await failing(301_000, 'UPSTREAM_FAILED', null)).toEqual([1, false, ['unreached'], 'wrong'])
    const forked = ['VERIFICATION_FAILED', 'log-forked'] as const
    expect(await failing(0, ...forked)).toEqual([3, false, ['wrong'], 'wrong'])
    const { out } = await run(['mirror', 'status', '--data', folder])
    expect(out).toContain(`FAILED: VERIFICATION_FAILED, rule log-forked, at ${localTime(time)}`)
    await noteFailedRuns(copy, null)
    expect((await run(['mirror', 'status', '--data', folder])).code).toBe(0)
    await platform.close()
  })

  it('removes the copy of a home for good, keeps what its log signed last, and no copy of another home', async () => {
    const there = lost(folder)
    cpSync(join(folder, 'home'), join(there, 'home'), { recursive: true })
    const origin = settings.origin
    const [one] = readMirrored(folder) as [ReturnType<typeof readMirrored>[number]]
    const other = { ...one, origin: 'http://b.test', deployment: asDeploymentId('home-10') }
    writeMirrored(there, [...readMirrored(folder), other])
    const platform = openLocal({ folder: join(there, 'home'), passphrase: null })
    const copied = openLocal({ folder: join(mirror, 'home'), passphrase: null, beside: true, readOnly: true })
    const large = new Uint8Array(300_000)
    const block = (await copied.table('mirror').range(`home-1/blocks/${record}`)).find(
      ({ value }) => parseBlock(fromUtf8(value)).block.entries !== null,
    )
    const named = block && parseBlock(fromUtf8(block.value)).block.entries?.root
    const object = `entries/${record}/${named ?? ''}`
    for (const at of ['home-1', 'home-10']) {
      const [rows, keys] = [platform.table('mirror'), platform.table('mirror-keys')]
      for (const row of await copied.table('mirror').range(`home-1/blocks/${record}`))
        await rows.insert(`${at}/blocks/${record}`, row.key, row.value)
      for (const row of await copied.table('mirror').range('home-1/checkpoints/log'))
        await rows.insert(`${at}/checkpoints/log`, row.key, row.value)
      await keys.insert(`${at}/wraps/${record}`, 'key', utf8('wrapped'))
      await platform.objects('mirror').store(`${at}/${object}`, large)
      await platform.objects('mirror').store(`${at}/log/tile`, utf8('small'))
    }
    // What it stated stays: a copy that begins anew must not state less.
    const statement = [`home-1/receipts/${record}`, MIRRORED_KEY] as const
    await platform.table('mirror').insert(...statement, utf8('{}'))
    await copied.close()
    await platform.close()
    const remove = (...args: string[]) => told(there, 'mirror', 'remove', ...args)
    const none = await remove('http://nobody.test', '--confirm', 'http://nobody.test')
    expect(none).toMatchObject({ exit: 1, code: 'NOT_FOUND', message: expect.stringContaining(origin) })
    expect(await remove(origin, '--confirm', 'home-1')).toMatchObject({ exit: 2 })
    expect(await remove(origin, '--dry-run')).toMatchObject({ exit: 0, removed: false, checkpoint: null })
    expect(readMirrored(there)).toHaveLength(2)
    const { exit, checkpoint } = await remove(origin, '--confirm', origin)
    expect([exit, readFileSync(String(checkpoint), 'utf8')]).toEqual([
      0,
      expect.stringContaining('127.0.0.1:19997/log\n'),
    ])
    expect(checkpoint).toMatch(/mirrored-home-1-[0-9]+-[0-9a-f]{16}\.note$/)
    expect(readMirrored(there)).toMatchObject([{ deployment: 'home-10' }])
    const left = openLocal({ folder: join(there, 'home'), passphrase: null })
    const has = async (at: string) => [
      (await left.table('mirror').range(`${at}/blocks/${record}`)).length > 0,
      (await left.table('mirror-keys').range(`${at}/wraps/${record}`)).length > 0,
      (await left.objects('mirror').fetch(`${at}/${object}`)) !== null,
      (await left.objects('mirror').fetch(`${at}/log/tile`)) !== null,
    ]
    expect([await has('home-1'), await has('home-10')]).toEqual([
      [false, false, false, false],
      [true, true, true, true],
    ])
    expect(await left.table('mirror').get(...statement)).not.toBeNull()
    await left.close()
  }, 30_000)
})
