// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setUp } from '#cli/deployment/set-up.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectRoot } from '#cli/commands/instances/registry-session.ts'
import { enterHome } from '#cli/migrate/enter.ts'
import { moveRecords } from '#cli/migrate/move-records.ts'
import { beginPlan, begunPlan } from '#cli/migrate/plan.ts'
import { received } from '#cli/migrate/receive.ts'
import { logAll } from '#cli/migrate/target-home.ts'
import { folderTarget } from '#cli/migrate/target/folder.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import type { Signer } from '#core/ports/keys.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { run } from '#tests/cli/harness.ts'
import { makeSigner } from '#tests/deployment.ts'

/** The home that is left, and the one that is made. */
export const [OLD, NEW] = ['http://127.0.0.1:19994', 'http://127.0.0.1:19995']
export const PASSPHRASE = 'of a test that protects nothing'
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
export const entry = (text: string) => ({
  header: utf8('{}'),
  content: utf8(text),
  compartment: 'general',
})

/** A home with one hospital in a folder, and commands on it. */
export async function migrateScene(institutions = ['hospital-a']) {
  const root = mkdtempSync(join(tmpdir(), 'ampere-migrate-'))
  const [old, fresh] = [join(root, 'old'), join(root, 'new')]
  const passphraseFile = join(root, 'passphrase')
  writeFileSync(passphraseFile, PASSPHRASE)
  const named = institutions.map((id) => ({ id, name: id }))
  const what = { origin: OLD, institutions: named, demo: true, passphrase: { kind: 'generated' } } as const
  await setUp(old, what, async () => PASSPHRASE)
  const ampere = async (folder: string, ...args: string[]) => {
    const common = ['--data', folder, '--passphrase-file', passphraseFile, '--no-input', '--json']
    const ended = await run([...args, ...common])
    return { ...ended, said: ended.out + ended.err }
  }
  return { root, old, fresh, ampere }
}

/** Acts on the home of a folder as a server of it would. */
export async function withHome<T>(folder: string, act: (home: Open) => Promise<T>): Promise<T> {
  const open = await openAll(folder)
  try {
    return await act(open)
  } finally {
    await open.tendLog()
    await open.platform.close()
  }
}

/** A home that is open with its hospital. */
type Open = Awaited<ReturnType<typeof openAll>>

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

/** A record at the old home with these entries, which a patient's device controls too. */
export async function recordOf(
  { connection, hospital, settings }: Open,
  texts: readonly string[],
  threshold: 1 | 2,
): Promise<{ readonly record: ChainId; readonly device: Signer }> {
  const place = { deployment: asDeploymentId(settings.deployment), origin: OLD }
  const { record } = await createRecord(connection, place, ['general'])
  for (const text of texts) await connection.append(record, [entry(text)])
  const device = await makeSigner(random)
  const sealing = toBase64url(sealingPublicKey(random(32)))
  const members = [
    { kind: 'institution' as const, institution: hospital.id },
    { kind: 'device' as const, kid: device.kid, jwk: device.publicKey, sealing },
  ]
  const [instance] = hospital.instances
  if (!instance) throw new Error('an instance is expected')
  await changeChain(connection, record, { controllers: { threshold, members } }, [instance, device])
  return { record, device }
}

/** Erases what an entry says at once, as the patient may. */
export async function erase(
  { connection }: Pick<Open, 'connection'>,
  record: ChainId,
  device: Signer,
  text: string,
) {
  const { opened } = await connection.read(record)
  const entries = opened.filter(({ content }) => new TextDecoder().decode(content) === text)
  const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
  const { block } = await requestErasure(connection, record, what, { patient: [device] })
  await settleErasure(connection, record, block.height, 'complete')
}

/** Does what `migrate` does until it is interrupted: before chains move, or before the registry does. */
export async function interrupted(old: string, fresh: string, until: 'copied' | 'moved'): Promise<void> {
  await withHome(old, async (open) => {
    const { hospital, connection, settings } = open
    const root = await connectRoot({ settings, fetch: open.fetch }, hospital)
    const link = root.sync.registry.link()
    if (!link) throw new Error('a registry is expected')
    const target = folderTarget(old, fresh, PASSPHRASE, 19995)
    const plan = begunPlan(old, target, settings) ?? (await beginPlan(old, target, settings, link.state))
    const platform = await target.open(plan)
    try {
      const entering = { connection: root, owner: hospital, institutions: [hospital] }
      await enterHome(entering, plan, await platform.signer('head'))
      await logAll(open)
      const silent = { progress: () => ({ update: () => {}, stop: () => {} }) }
      await received({ screen: silent }, { folder: old, settings, home: open }, platform, plan)
      const [from, to] = [settings, plan].map(({ deployment, origin }) => ({
        deployment: asDeploymentId(deployment),
        origin,
      }))
      if (!from || !to || until === 'copied') return
      const controllers = [{ institution: hospital, connection }]
      await moveRecords(open.platform, controllers, { from, to, progress: () => {} })
    } finally {
      await platform.close()
    }
  })
}
