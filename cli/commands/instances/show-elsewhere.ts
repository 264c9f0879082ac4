// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { isAmpereError } from '#core/errors.ts'
import { ask } from '#core/order/ask.ts'
import { MAX_ANSWER_BYTES } from '#core/api/limits.ts'
import { signRevocation, type Revocation } from '#core/registry/revocation.ts'
import { recordsIn } from '#core/registry/state.ts'
import { registryHomeIn } from '#core/server/follow/registry-home.ts'
import { rootSigner } from '../../open/institution.ts'
import { ANSWER_MS } from '../../witness/fetch-text.ts'
import type { RegistrySession } from './registry-session.ts'

const LIMITS = { maxBytes: MAX_ANSWER_BYTES.statements, beyond: 'cut' } as const

/** A home that was shown a revocation, and whether it takes it. */
export interface ShownTo {
  readonly origin: string
  readonly isTaken: boolean
}

/**
 * Shows a revocation to every home that the registry names, but its own, which gets the block: each refuses the key from then on and
 * need not wait until it has followed. Nobody is waited for longer than a few seconds, and none that fails ends anything.
 */
export async function showElsewhere(
  session: RegistrySession,
  revocation: Pick<Revocation, 'kid' | 'reason' | 'suspectFrom'>,
): Promise<readonly ShownTo[]> {
  const { connection, institution, settings, state } = session
  const { deployment } = registryHomeIn(connection.sync.registry.newest())
  const others = [...recordsIn(state())].flatMap((record) =>
    record.kind === 'deployment' && record.id !== deployment ? [record] : [],
  )
  if (others.length === 0) return []
  const time = toTimestamp(connection.ports.now())
  const statement = await signRevocation(
    { v: 1, registry: settings.registry, ...revocation, time },
    await rootSigner(institution),
  )
  return Promise.all(
    others.map(async ({ id, origin }) => {
      // The home of this folder may run in this process, where nothing listens.
      const send = id === settings.deployment ? session.fetch : (request: Request) => fetch(request)
      return { origin, isTaken: await show(send, origin, statement) }
    }),
  )
}

async function show(
  send: (request: Request) => Promise<Response>,
  origin: string,
  statement: string,
): Promise<boolean> {
  const init = { method: 'POST', headers: { 'content-type': 'application/jose' }, body: statement }
  const asked = { who: 'the home', first: AbortSignal.timeout(ANSWER_MS), limits: () => LIMITS }
  try {
    return (await ask(send, { url: new URL('/v1/registry/revocations', origin), init }, asked)).status === 201
  } catch (error) {
    if (isAmpereError(error, 'UPSTREAM_FAILED')) return false
    throw error
  }
}

/** What to say of it, in sentences. */
export function shownLines(shown: readonly ShownTo[]): readonly string[] {
  const by = (isTaken: boolean) =>
    shown.flatMap((each) => (each.isTaken === isTaken ? [each.origin] : [])).join(', ')
  return [
    ...(by(true) === '' ? [] : [`Refused at once by ${by(true)} as well.`]),
    ...(by(false) === ''
      ? []
      : [`Not taken by ${by(false)}: refused there once that home follows the registry.`]),
  ]
}
