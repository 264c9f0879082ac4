// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Signer } from '#core/ports/keys.ts'
import {
  chainArgument,
  MIN_NAME,
  withSession,
  type ActingOptions,
  type Session,
} from '../deployment/session.ts'
import { actingInstance } from '../open/institution.ts'
import type { Call } from '../program/command.ts'
import { refuse, usage } from '../program/refuse.ts'
import { connectTo, openDeviceOf, type OpenDevice } from './folder.ts'

/** Who acts on a record: a patient's device, or an institution's desk. */
export interface Party {
  readonly chain: ChainId
  readonly connection: Connection
  readonly signer: Signer
  /** Where it keeps what belongs to proposals that it made. */
  readonly folder: string
  /** Null of a device. */
  readonly desk: Session | null
  /** Null of a desk. */
  readonly device: OpenDevice | null
}

/** Acts on a record as whoever the data folder belongs to. @throws CommanderError (usage), AmpereError NOT_FOUND */
export async function withParty<T>(
  call: Call<ActingOptions>,
  record: string,
  act: (party: Party) => Promise<T>,
): Promise<T> {
  const device = await openDeviceOf(call)
  if (device) return act(asDevice(device, record))
  return withDesk(call, async (desk) => act(asDesk(desk, await chainArgument(desk, record))))
}

/** A desk as a party to a record. */
export function asDesk(desk: Session, chain: ChainId): Party {
  const { connection, institution } = desk.open
  return {
    chain,
    connection,
    signer: actingInstance(institution),
    folder: institution.folder,
    desk,
    device: null,
  }
}

/** Acts as an institution's desk; a device is told that it is none. @throws CommanderError (usage) */
export async function withDesk<T>(call: Call<ActingOptions>, act: (desk: Session) => Promise<T>): Promise<T> {
  if ((await openDeviceOf(call)) !== null)
    throw usage('this is done at the institution, and the folder is of a device: --data FOLDER')
  return withSession(call, act)
}

/** The device of this folder. @throws AmpereError CONFIGURATION where there is none */
export async function deviceHere(call: Call): Promise<OpenDevice> {
  const device = await openDeviceOf(call)
  if (device) return device
  throw refuse('CONFIGURATION', 'the folder has no device', 'npx ampere device new')
}

function asDevice(device: OpenDevice, record: string): Party {
  const { folder, settings, keys } = device
  if (record.length < MIN_NAME) throw usage(`a record is named by at least ${MIN_NAME} characters of its id`)
  const [found, ...others] = settings.records.filter(({ chain }) => chain.startsWith(record))
  if (!found || others.length > 0)
    throw refuse(
      'NOT_FOUND',
      found
        ? `several records begin with ${record}`
        : `this device was invited to no record that begins with ${record.slice(0, 43)}`,
      found ? 'give more characters' : 'npx ampere device claim INVITATION --out FILE',
    )
  const connection = connectTo(folder, found, keys.identity)
  return { chain: found.chain, connection, signer: keys.signer, folder, desk: null, device }
}
