// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openKeyring } from '#adapters/local/keys/keyring.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { asInstitutionId, type ChainId } from '#core/bytes/ids.ts'
import type { Controllers } from '#core/block/block.ts'
import { acceptPairing, issuePairingCode, joinRecord } from '#core/bridge/file/pair.ts'
import type { ImportReport } from '#core/bridge/bridge.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { setControllers, shareRecord, unshareRecord } from '#core/client/acts/share-record.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { AmpereError } from '#core/errors.ts'
import type { Random } from '#core/ports/keys.ts'
import type { OpenBridge } from '../open/bridge.ts'
import { actingInstance } from '../open/institution.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const DEMO = new URL('../../demo/', import.meta.url)
/** The entry that the patient erases: it was filed by mistake and belongs to somebody else. */
const MISFILED = 'a0000000-0000-4000-8000-000000000002'

/** What the story did. */
export interface StoryReport {
  readonly record: ChainId
  readonly patient: string
  readonly imports: readonly {
    readonly hospital: string
    readonly report: ImportReport
    readonly ms: number
  }[]
}

/**
 * Plays the demo: two hospitals send one patient's data, a result is corrected, a clinic reads and loses the
 * right to, the patient claims the record with a device and erases what was filed by mistake.
 * `say` is told each step. Told again after an interruption it goes on: what was done is not done twice.
 */
export async function playStory(
  folder: string,
  passphrase: string,
  [a, b]: readonly [OpenBridge, OpenBridge],
  say: (step: string) => void,
): Promise<StoryReport> {
  for (const open of [a, b]) await open.prepare()
  say('Hospital A sends its part of the record')
  const first = await importFile(a, 'hospital-a')
  const [filed] = first.report.filed
  if (!filed) throw new AmpereError('CONFIGURATION', 'the demo data are missing')
  const { chain: record, patientId } = filed
  say('Hospital B joins with a pairing code and sends its part')
  const code = await issuePairingCode(a.bridge, patientId)
  const request = await b.bridge.ports.client.requestPairing(code)
  await joinRecord(b.bridge, patientId, await acceptPairing(a.bridge, request))
  const second = await importFile(b, 'hospital-b')
  say('A clinic is granted reading, and loses it again: from then on its keys open nothing new')
  const clinic = asInstitutionId('clinic-c')
  await shareRecord(a.connection, record, { institution: clinic, rights: ['read'] })
  await unshareRecord(a.connection, record, clinic)
  say('Hospital A corrects a result, and files a note by mistake')
  const third = await importFile(a, 'correction')
  say('The patient takes part with a device, and erases an entry that was filed by mistake')
  await eraseMisfiled(folder, passphrase, a, record)
  for (const open of [a, b]) await open.bridge.recheck(patientId)
  return {
    record,
    patient: patientId,
    imports: [
      { hospital: 'hospital-a', ...first },
      { hospital: 'hospital-b', ...second },
      { hospital: 'hospital-a', ...third },
    ],
  }
}

async function importFile(open: OpenBridge, name: string): Promise<{ report: ImportReport; ms: number }> {
  const started = performance.now()
  const report = await open.bridge.import(readFileSync(new URL(`${name}.json`, DEMO)), 'fhir+json')
  return { report, ms: performance.now() - started }
}

async function eraseMisfiled(
  folder: string,
  passphrase: string,
  a: OpenBridge,
  record: ChainId,
): Promise<void> {
  const keyring = openKeyring(join(folder, 'patient-keys.json'), passphrase, random)
  const device = await keyring.signer('device', 'ES256')
  const { members } = (await a.connection.replica(record)).link.state.controllers
  if (!members.some((member) => member.kind === 'device' && member.kid === device.kid)) {
    const sealing = toBase64url(sealingPublicKey(keyring.seed('sealing')))
    const member = { kind: 'device' as const, kid: device.kid, jwk: device.publicKey, sealing }
    const controllers: Controllers = { threshold: 1, members: [...members, member] }
    await setControllers(a.connection, record, controllers, [actingInstance(a.institution), device])
  }
  const view = await a.connection.read(record)
  const entry = view.opened.find((item) => new TextDecoder().decode(item.header).includes(MISFILED))
  if (!entry) throw new AmpereError('NOT_FOUND', 'the misfiled entry of the demo is not there')
  const erasure = { scope: 'entries' as const, entries: [entry], ground: 'misfiled' as const }
  const request = await requestErasure(a.connection, record, erasure, { patient: [device] })
  await settleErasure(a.connection, record, request.block.height, 'complete')
}
