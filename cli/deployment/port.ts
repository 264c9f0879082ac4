// SPDX-License-Identifier: Apache-2.0
import { listen } from '#functions/host/node.ts'
import { refuse } from '../program/refuse.ts'
import { isAmpereError } from '#core/errors.ts'

export const DEFAULT_PORT = 7310

/**
 * A free port for a new deployment: the given one, else the first free one from 7310 on. The origin is signed
 * into the registry, so it is looked for before anything is made, and kept.
 * @throws AmpereError PORT_IN_USE
 */
export async function choosePort(given: number | undefined): Promise<number> {
  try {
    const probe = await listen(() => new Response(null), given ?? DEFAULT_PORT, given === undefined)
    await probe.close()
    return probe.port
  } catch (error) {
    if (!isAmpereError(error, 'PORT_IN_USE')) throw error
    throw refuse(
      'PORT_IN_USE',
      `port ${given ?? DEFAULT_PORT} is in use`,
      'choose another: --port PORT',
      error,
    )
  }
}
