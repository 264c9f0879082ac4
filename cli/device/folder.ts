// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import * as v from 'valibot'
import { openKeyring } from '#adapters/local/keys/keyring.ts'
import { replaceFile } from '#adapters/local/store/durable-file.ts'
import type { Invitation } from '#core/client/devices/claim.ts'
import { invitationSchema } from '#core/client/devices/claim.ts'
import { deviceKeys, type DeviceKeys } from '#core/client/devices/keys.ts'
import type { Identity } from '#core/client/client.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { Random } from '#core/ports/keys.ts'
import { readAs } from '../deployment/json-file.ts'
import { readPassphrase } from '../deployment/passphrase.ts'
import { dataFolder, passphraseSource } from '../deployment/settings.ts'
import { evidenceFiles } from '../evidence/files.ts'
import { fileSeen } from '../open/seen.ts'
import type { Call } from '../program/command.ts'

const schema = v.strictObject({
  v: v.literal(1),
  passphrase: passphraseSource,
  /** Records that it was invited to, each with the home and the judges that the desk named. */
  records: v.array(invitationSchema),
})

/** What the folder of a patient's device remembers; no secret is in it. */
export type DeviceSettings = v.InferOutput<typeof schema>

/** A patient's device on this computer: it belongs to no institution. */
export interface OpenDevice {
  readonly folder: string
  readonly settings: DeviceSettings
  readonly keys: DeviceKeys
}

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const SETTINGS = 'device.json'
const KEYS = 'keys.json'

/** What a folder remembers of a device, or null where none is. @throws AmpereError STORE_CORRUPT */
export function readDevice(folder: string): DeviceSettings | null {
  return readAs(join(folder, SETTINGS), schema)
}

/** Replaces what it remembers, as a whole. */
export function writeDevice(folder: string, settings: DeviceSettings): void {
  replaceFile(join(folder, SETTINGS), `${JSON.stringify(settings, null, 2)}\n`)
}

/** The device in the data folder of a command; null where an institution's deployment, or nothing, is. */
export async function openDeviceOf({ options, screen }: Call): Promise<OpenDevice | null> {
  const folder = dataFolder(options.data, screen.terminal.env)
  const settings = readDevice(folder)
  if (!settings) return null
  const passphrase = await readPassphrase(folder, settings.passphrase, options, screen)
  return { folder, settings, keys: await openDeviceKeys(folder, passphrase) }
}

/** The keys of a device, made on first use. @throws AmpereError PASSPHRASE_WRONG, STORE_CORRUPT */
export async function openDeviceKeys(folder: string, passphrase: string): Promise<DeviceKeys> {
  const keyring = openKeyring(join(folder, KEYS), passphrase, random)
  return deviceKeys(await keyring.signer('device', 'Ed25519'), keyring.seed('sealing'))
}

/** Remembers a record; another invitation to the same one takes the place of the first. */
export function rememberRecord({ folder, settings }: OpenDevice, invitation: Invitation): void {
  const others = settings.records.filter(({ chain }) => chain !== invitation.chain)
  writeDevice(folder, { ...settings, records: [...others, invitation] })
}

/** Reaches the home of a record as this device, or as a sheet. */
export function connectTo(folder: string, invitation: Invitation, identity: Identity): Connection {
  const { registry, origin, policy } = invitation
  return connect({
    fetch: (request) => fetch(request),
    now: () => Date.now(),
    random,
    identity,
    pins: { registry, origin, policy: policy === null ? null : parsePolicy(policy), monitors: null },
    seen: fileSeen(folder),
    evidence: evidenceFiles(folder),
  })
}
