// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setUp } from '#cli/deployment/set-up.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { jsonOf, run } from '#tests/cli/harness.ts'
import { makeSigner } from '#tests/deployment.ts'

const root = mkdtempSync(join(tmpdir(), 'ampere-migrate-'))
const [old, fresh] = [join(root, 'old'), join(root, 'new')]
const PASSPHRASE = 'of a test that protects nothing'
const [OLD, NEW] = ['http://127.0.0.1:19994', 'http://127.0.0.1:19995']
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
const passphraseFile = join(root, 'passphrase')
const ampere = async (folder: string, ...args: string[]) => {
  const common = ['--data', folder, '--passphrase-file', passphraseFile, '--no-input', '--json']
  const ended = await run([...args, ...common])
  return { ...ended, said: ended.out + ended.err }
}

/** Acts on the home of a folder as a server of it would. */
async function withHome<T>(
  folder: string,
  act: (home: Awaited<ReturnType<typeof openAll>>) => Promise<T>,
): Promise<T> {
  const open = await openAll(folder)
  try {
    return await act(open)
  } finally {
    await open.tendLog()
    await open.platform.close()
  }
}

async function openAll(folder: string) {
  const settings = readSettings(folder)
  if (!settings) throw new Error('settings are expected')
  const home = await openHome(folder, settings, PASSPHRASE, silentLog)
  const hospital = await openInstitution(folder, 'hospital-a', PASSPHRASE)
  const policy = pinnedPolicy(folder, settings)
  return {
    ...home,
    hospital,
    settings,
    connection: connectInstitution(hospital, settings, home.fetch, { policy }),
  }
}

describe('a home on this computer that is migrated into another folder', () => {
  let record: ChainId
  let guarded: ChainId
  let first: Record<string, unknown>

  beforeAll(async () => {
    await setUp(
      old,
      {
        origin: OLD,
        institutions: [{ id: 'hospital-a', name: 'Hospital A' }],
        demo: true,
        passphrase: { kind: 'generated' },
      },
      async () => PASSPHRASE,
    )
    writeFileSync(passphraseFile, PASSPHRASE)
    await withHome(old, async ({ connection, hospital, settings }) => {
      const place = { deployment: asDeploymentId(settings.deployment), origin: OLD }
      record = (await createRecord(connection, place, ['general'])).record
      await connection.append(record, [entry('before')])
      guarded = (await createRecord(connection, place, ['general'])).record
      // A patient's device must agree to all that happens to this one.
      const device = await makeSigner(random)
      const members = [
        { kind: 'institution' as const, institution: hospital.id },
        {
          kind: 'device' as const,
          kid: device.kid,
          jwk: device.publicKey,
          sealing: toBase64url(sealingPublicKey(random(32))),
        },
      ]
      const [instance] = hospital.instances
      if (!instance) throw new Error('an instance is expected')
      await changeChain(connection, guarded, { controllers: { threshold: 2, members } }, [instance, device])
    })
  }, 60_000)
  afterAll(() => rmSync(root, { recursive: true }))

  it('is not migrated into its own folder', async () => {
    const refused = await ampere(old, 'migrate', '--to', join(old, 'new'))
    expect(refused).toMatchObject({ code: 2, said: expect.stringContaining('beside the data folder') })
  })

  it('moves every chain whose controllers are here, and says what others have to sign', async () => {
    const done = await ampere(old, 'migrate', '--to', fresh, '--port', '19995')
    expect(done).toMatchObject({ code: 0, err: '' })
    first = jsonOf(done)
    expect(first).toMatchObject({
      ok: false,
      origin: NEW,
      waiting: [guarded],
      ended: [],
      registryMoved: true,
      unlogged: 0,
      compared: { chains: 4, differences: [], unlisted: 0 },
    })
    expect(first['moved']).toHaveLength(3)
    const asked = JSON.parse(readFileSync(join(fresh, 'waiting', `${guarded}.json`), 'utf8')) as object
    expect(asked).toMatchObject({
      type: 'rehome',
      chain: guarded,
      body: { home: { origin: NEW }, from: { origin: OLD } },
      threshold: 2,
    })
  }, 60_000)

  it.each([
    ['before its settings were written', ['settings.json']],
    ['before its institutions were copied', ['settings.json', 'institutions']],
    ['after all', []],
  ])(
    'goes on when it is given again, interrupted %s',
    async (_, missing) => {
      for (const name of missing) rmSync(join(fresh, name), { recursive: true })
      const again = await ampere(old, 'migrate', '--to', fresh)
      expect(again).toMatchObject({ code: 0, err: '' })
      const { moved, waiting, origin, deployment } = jsonOf(again)
      expect({ moved, waiting, origin, deployment }).toEqual({
        moved: first['moved'],
        waiting: first['waiting'],
        origin: first['origin'],
        deployment: first['deployment'],
      })
      expect(readSettings(fresh)).toMatchObject({ origin: NEW, institutions: ['hospital-a'] })
    },
    60_000,
  )

  it('goes on in the new folder, where an export verifies with the receipts of both logs', async () => {
    await withHome(fresh, async ({ connection, tendLog, settings }) => {
      await connection.append(record, [entry('after')])
      await tendLog()
      const { opened } = await connection.read(record)
      expect(opened.map(({ content }) => new TextDecoder().decode(content))).toEqual(['before', 'after'])
      const policy = pinnedPolicy(fresh, settings)
      const bytes = await exportRecord(connection, record)
      const report = await verifyExport(bytes, policy ? { registry: settings.registry, policy } : {})
      expect(report).toMatchObject({ origin: NEW, blocks: 5, problems: [] })
      expect(report.statuses).toEqual(Array(5).fill('logged'))
    })
    const verified = await ampere(fresh, 'verify', '--all')
    expect(verified).toMatchObject({ code: 0, err: '' })
    const audited = await ampere(fresh, 'audit', '--stores')
    expect(audited.code).toBe(0)
  }, 60_000)

  it('takes nothing in the old folder any more, neither blocks nor changes of the registry', async () => {
    await withHome(old, async ({ connection }) => {
      const moved = { code: 'CHAIN_MOVED', message: expect.stringContaining(NEW) }
      await expect(connection.append(record, [entry('late')])).rejects.toMatchObject(moved)
      await expect(connection.read(record)).rejects.toMatchObject(moved)
      // What waits is here still, and here alone.
      await connection.append(guarded, [entry('meanwhile')])
    })
    const enrolled = await ampere(old, 'instance', 'enrol')
    expect(enrolled).toMatchObject({ code: 1, said: expect.stringContaining('CHAIN_MOVED') })
  }, 60_000)

  it('is waited for by erasures until it is retired, which its own new home cannot be', async () => {
    const refused = await ampere(fresh, 'retire', 'home-2', '--confirm', 'home-2')
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('CONFIGURATION') })
    const retired = await ampere(fresh, 'retire', 'home-1', '--confirm', 'home-1')
    expect(retired).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(retired)).toMatchObject({ ok: true, deployment: 'home-1', origin: OLD })
  }, 60_000)
})
