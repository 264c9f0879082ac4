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
import { setUp } from '#cli/deployment/set-up.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { parseErased } from '#core/api/erased.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { jsonOf, run } from '#tests/cli/harness.ts'
import { makeSigner } from '#tests/deployment.ts'

const root = mkdtempSync(join(tmpdir(), 'ampere-backups-'))
const folder = join(root, 'data')
const PASSPHRASE = 'of a test that protects nothing'
const ORIGIN = 'http://127.0.0.1:19993'
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
const passphraseFile = join(root, 'passphrase')
/** A command on the data folder of this test. */
const ampere = async (...args: string[]) => {
  const ended = await run([
    ...args,
    '--data',
    folder,
    '--passphrase-file',
    passphraseFile,
    '--no-input',
    '--json',
  ])
  return { ...ended, said: ended.out + ended.err }
}

/** Acts on the home as a server of it would. */
async function withHome<T>(act: (home: Awaited<ReturnType<typeof openAll>>) => Promise<T>): Promise<T> {
  const open = await openAll()
  try {
    return await act(open)
  } finally {
    await open.tendLog()
    await open.platform.close()
  }
}

async function openAll() {
  const settings = readSettings(folder)
  if (!settings) throw new Error('settings are expected')
  const home = await openHome(folder, settings, PASSPHRASE, silentLog)
  const hospital = await openInstitution(folder, 'hospital-a', PASSPHRASE)
  return { ...home, hospital, settings, connection: connectInstitution(hospital, settings, home.fetch) }
}

describe('a home on this computer', () => {
  let record: ChainId
  let erase: (text: string) => Promise<string>

  beforeAll(async () => {
    const institutions = [{ id: 'hospital-a', name: 'Hospital A' }]
    await setUp(
      folder,
      { origin: ORIGIN, institutions, demo: true, passphrase: { kind: 'generated' } },
      async () => PASSPHRASE,
    )
    writeFileSync(passphraseFile, PASSPHRASE)
    await withHome(async ({ connection, hospital, settings }) => {
      const place = { deployment: asDeploymentId(settings.deployment), origin: ORIGIN }
      record = (await createRecord(connection, place, ['general'])).record
      for (const text of ['kept', 'erased before', 'erased later'])
        await connection.append(record, [entry(text)])
      const device = await makeSigner(random)
      const [instance] = hospital.instances
      if (!instance) throw new Error('an instance is expected')
      const sealing = toBase64url(sealingPublicKey(random(32)))
      const members = [
        { kind: 'institution' as const, institution: hospital.id },
        { kind: 'device' as const, kid: device.kid, jwk: device.publicKey, sealing },
      ]
      await changeChain(connection, record, { controllers: { threshold: 1, members } }, [instance, device])
      erase = async (text) =>
        withHome(async (open) => {
          const { opened } = await open.connection.read(record)
          const entries = opened.filter(({ content }) => new TextDecoder().decode(content) === text)
          const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
          const { block } = await requestErasure(open.connection, record, what, { patient: [device] })
          await settleErasure(open.connection, record, block.height, 'complete')
          return (await open.connection.api.erased(record)).at(-1) ?? ''
        })
    })
    await erase('erased before')
  }, 60_000)
  afterAll(() => rmSync(root, { recursive: true }))

  it('is not backed up before it says for how long its backups are kept', async () => {
    const refused = await ampere('backup', '--to', join(root, 'first'))
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('CONFIGURATION') })
    expect(existsSync(join(root, 'first'))).toBe(false)
    const inside = await ampere('backup', '--to', join(folder, 'backup'), '--keep-days', '30')
    expect(inside).toMatchObject({ code: 2, said: expect.stringContaining('outside the data folder') })
  })

  it('is backed up beside the process that has it, once that states for how long backups are kept', async () => {
    await withHome(async () => {
      const early = await ampere('backup', '--to', join(root, 'first'), '--keep-days', '30')
      expect(early).toMatchObject({ code: 1, said: expect.stringContaining('restart') })
    })
    await withHome(async () => {
      const done = jsonOf(await ampere('backup', '--to', join(root, 'first')))
      expect(done).toMatchObject({ ok: true, chains: 2, resumed: false })
      const again = jsonOf(await ampere('backup', '--to', join(root, 'first')))
      expect(again).toEqual({ ...done, resumed: true })
    })
    expect(filesWith(join(root, 'first'), 'privateKey')).toEqual([])
  })

  it('states of what it erases afterwards when the last backup is gone that may have it', async () => {
    const { erased } = parseErased(await erase('erased later'))
    expect(timestampMs(erased.backupsExpire) - timestampMs(erased.at)).toBe(30 * 86_400_000)
  })

  it('tries a restore: what was erased since is erased, all else is the same, and nothing is kept', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('ampere-drill-'))
    const tried = await ampere('restore', '--from', join(root, 'first'), '--drill')
    expect(tried).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(tried)).toMatchObject({
      ok: true,
      erasures: 2,
      findings: [],
      compared: { differences: [], unlisted: 0, erased: 2 },
    })
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('ampere-drill-'))).toEqual(before)
    expect(existsSync(join(folder, 'home', 'ampere.db'))).toBe(true)
  })

  it('is restored when it is lost: nothing erased since is served, and everything else is as it was', async () => {
    const refused = await ampere('restore', '--from', join(root, 'first'))
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('nothing is overwritten') })
    const lost = join(root, 'lost')
    mkdirSync(join(lost, 'home'), { recursive: true })
    for (const name of readdirSync(join(folder, 'home')))
      if (/^(ampere\.db|objects)/.test(name)) renameSync(join(folder, 'home', name), join(lost, 'home', name))
    const restored = await ampere('restore', '--from', join(root, 'first'), '--newer', lost, '--verify')
    expect(restored).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(restored)).toMatchObject({ ok: true, erasures: 2, losses: [], findings: [] })
    await withHome(async ({ connection }) => {
      const { opened, closed } = await connection.read(record)
      expect(opened.map(({ content }) => new TextDecoder().decode(content))).toEqual(['kept'])
      expect(closed.map(({ status }) => status)).toEqual(['erased', 'erased'])
      await connection.append(record, [entry('after the restore')])
    })
    const audited = await ampere('audit', '--stores')
    expect(audited.code).toBe(0)
  })

  it('refuses a backup that is damaged, of another home, or that should be gone', async () => {
    const copy = join(root, 'copy')
    cpSync(join(root, 'first'), copy, { recursive: true })
    rmSync(join(copy, 'parts', '000000000000'))
    const damaged = await ampere('restore', '--from', copy, '--drill')
    expect(damaged).toMatchObject({
      code: 1,
      said: expect.stringContaining('part 0 of the backup is missing'),
    })
    const none = await ampere('restore', '--from', join(root, 'none'), '--drill')
    expect(none).toMatchObject({ code: 1, said: expect.stringContaining('NOT_FOUND') })
  })
})

/** Files of a folder in which a text occurs. */
function filesWith(where: string, text: string): string[] {
  return readdirSync(where, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && readFileSync(join(each.parentPath, each.name)).includes(text))
    .map(({ name }) => name)
}
