// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { createClients } from '#core/bridge/store/clients.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import type { Random } from '#core/ports/keys.ts'
import { reachClients } from '../cloud/bridge/reach-clients.ts'
import { CLOUDS, type Clouds } from '../cloud/clouds.ts'
import { readPassphrase } from '../deployment/passphrase.ts'
import { findRunning } from '../deployment/running.ts'
import { deploymentOf } from '../deployment/deployment-of.ts'
import { actingInstitution, type ActingOptions } from '../deployment/session.ts'
import type { Call } from '../program/command.ts'
import type { OpenClients } from './client-register.ts'
import { openInstitution } from './institution.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/**
 * Opens the register of clients alone: whoever suspends one here must not need a home that answers. A server that runs, and a bridge in a
 * cloud, see what changed with their next request.
 */
export async function withClients<T>(
  call: Call<ActingOptions>,
  act: (open: OpenClients) => Promise<T>,
  clouds: Clouds = CLOUDS,
): Promise<T> {
  const { cloud } = call.options
  return cloud === undefined ? withClientsHere(call, act) : act(await reachClients(call, cloud, clouds))
}

async function withClientsHere<T>(
  call: Call<ActingOptions>,
  act: (open: OpenClients) => Promise<T>,
): Promise<T> {
  const { folder, settings } = deploymentOf(call)
  const id = actingInstitution(settings, call.options)
  const beside = (await findRunning(settings)) !== null
  const passphrase = await readPassphrase(folder, settings.passphrase, call.options, call.screen)
  const institution = await openInstitution(folder, id, passphrase)
  const platform = openLocal({ folder: join(institution.folder, 'bridge'), passphrase: null, beside })
  const closed = call.screen.stopping.closes(() => platform.close())
  try {
    const rows = createSealedRows(institution.indexKey, random)
    const clients = createClients(platform.table('bridge'), rows, { now: call.screen.terminal.now, random })
    return await act({ clients, institution: id, base: `${settings.origin}/${id}`, cloud: null })
  } finally {
    closed()
    await platform.close()
  }
}
