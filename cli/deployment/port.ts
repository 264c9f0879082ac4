// SPDX-License-Identifier: Apache-2.0
import { listen } from '#functions/host/node.ts'
import { refuse } from '../program/refuse.ts'
import { isAmpereError } from '#core/errors.ts'

export const DEFAULT_PORT = 7310

/**
 * A free port for a new deployment: the given one, else the first free one from 7310 on. The origin is signed
 * into the registry, so it is looked for before anything is made, and kept.
 * @param taken origins of others, whether they are served now or not
 * @throws AmpereError PORT_IN_USE
 */
export async function choosePort(
  given: number | undefined,
  taken: ReadonlySet<string> = new Set(),
): Promise<number> {
  if (given !== undefined && taken.has(originAt(given)))
    throw inUse(`${originAt(given)} is the address of another home or witness`)
  let from = given ?? DEFAULT_PORT
  try {
    for (;;) {
      const probe = await listen(() => new Response(null), from, given === undefined)
      await probe.close()
      if (!taken.has(originAt(probe.port))) return probe.port
      from = probe.port + 1
    }
  } catch (error) {
    if (!isAmpereError(error, 'PORT_IN_USE')) throw error
    throw inUse(`port ${from} is in use`, error)
  }
}

function originAt(port: number): string {
  return `http://127.0.0.1:${port}`
}

function inUse(why: string, cause?: unknown): Error {
  return refuse('PORT_IN_USE', why, 'choose another: --port PORT', cause)
}
