// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net'
import { jsonOrNull } from '#core/client/answer.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Settings } from './settings.ts'

/** A home in another process, that answers as this very deployment. */
export interface RunningHome {
  /** Its clock less ours, in milliseconds, to the second that HTTP dates have. */
  readonly clockAheadMs: number
}

/** A server that is busy for longer than this counts as not running; the folder's lock still keeps us out. */
const ANSWER_MS = 2000

/** A function that was not called for a while takes seconds to begin. */
const FAR_ANSWER_MS = 30_000

/** What is read of an answer, at most. */
const MAX_DISCOVERY_BYTES = 64 * 1024

interface Said {
  readonly deployment?: unknown
  readonly registry?: unknown
}

/** The server of this deployment, or null when none answers at its origin. */
export async function findRunning(settings: Settings): Promise<RunningHome | null> {
  const origin = new URL(settings.origin)
  // Most often nothing listens. To see that without fetch saves loading all of it.
  if (!(await isListening(origin.hostname, Number(origin.port)))) return null
  return answersAs(settings, fetch, ANSWER_MS)
}

/** What answers at its origin as this deployment, or null. @param maxMs how long it may take to answer, in milliseconds */
export async function answersAs(
  settings: Settings,
  ask: Fetch,
  maxMs = FAR_ANSWER_MS,
): Promise<RunningHome | null> {
  try {
    const signal = AbortSignal.timeout(maxMs)
    const response = await ask(new Request(new URL('/.well-known/ampere', settings.origin), { signal }))
    const said = (await jsonOrNull(response, MAX_DISCOVERY_BYTES, signal)) as Said | null
    if (said?.deployment !== settings.deployment || said.registry !== settings.registry) return null
    const date = Date.parse(response.headers.get('date') ?? '')
    return { clockAheadMs: Number.isNaN(date) ? 0 : date - Date.now() }
  } catch {
    return null
  }
}

/** True when something accepts connections there, whatever it is. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MS })
    const end = (isUp: boolean) => {
      socket.destroy()
      resolve(isUp)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}
