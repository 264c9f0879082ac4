// SPDX-License-Identifier: Apache-2.0
import type { ShownAnswer, ShownPageAnswer } from '../../api/answers.ts'
import type { Kid } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { AmpereError, brokenRule } from '../../errors.ts'
import { checkSpeaks, openRevocation, type Revocation } from '../../registry/revocation.ts'
import { isRevoked, keyRecordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { Home } from '../home.ts'
import type { RegistrarPorts } from '../registrar.ts'
import { REGISTRY_PARTITION, type HeldRegistry } from '../store/registry.ts'
import { openShown, overdueRevocations, shownKey, shownValue, type ShownRevocation } from '../store/shown.ts'

/**
 * Takes a revocation that somebody shows: from then on this home refuses the key, whatever the registry's home does, until the
 * registry has it, and then because of that. Durable when it resolves; showing it again changes nothing, the first one stays.
 * @throws AmpereError JWS_MALFORMED, BLOCK_MALFORMED, SIGNATURE_INVALID; VERIFICATION_FAILED (rules `registry`, `revoke`, `author`)
 */
export async function showRevocation(
  ports: RegistrarPorts,
  home: Home,
  compact: string,
): Promise<ShownAnswer> {
  const history = await home.registry.refresh()
  const view = history.said()
  const opened = await openRevocation(compact, view, home.verifiers)
  checkSpeaks(opened, view)
  const nowMs = ports.now()
  const { revocation } = opened
  // What the registry has needs no row.
  if (isRevoked(view, revocation.kid))
    return sayShown({ at: toTimestamp(nowMs), statement: compact, revocation }, view, nowMs)
  checkNotLifted(revocation, history)
  const { registry } = ports.tables
  await registry.insert(REGISTRY_PARTITION, shownKey(revocation.kid), shownValue(opened, nowMs))
  const row = await registry.get(REGISTRY_PARTITION, shownKey(revocation.kid))
  if (!row) throw new AmpereError('STORE_UNAVAILABLE', 'the revocation is not there after it was stored')
  return sayShown(await openShown(row, view, home.verifiers), view, nowMs)
}

/**
 * A suspension that was lifted since stays lifted: whoever kept the statement must not stop the key with it again, for good.
 * @throws AmpereError VERIFICATION_FAILED (rule `revoke`)
 */
function checkNotLifted({ kid, reason, time }: Revocation, history: HeldRegistry): void {
  const liftedMs = history.reinstatedAt(kid)
  if (reason === 'suspended' && liftedMs !== null && timestampMs(time) <= liftedMs)
    throw brokenRule('revoke', 'the suspension was lifted after it was said')
}

/** What was shown to this home, behind a key id, and what of all of it the registry owes. */
export async function readShown(
  home: Home,
  { after, limit, nowMs }: { readonly after: Kid | null; readonly limit: number; readonly nowMs: number },
): Promise<ShownPageAnswer> {
  const history = await home.registry.refresh()
  const view = history.said()
  const rest = history.shown().filter(({ revocation }) => after === null || revocation.kid > after)
  const items = rest.slice(0, limit)
  return {
    items: items.map((shown) => sayShown(shown, view, nowMs)),
    overdue: overdueRevocations(history.shown(), view, nowMs).length,
    next: rest.length > limit ? (items.at(-1)?.revocation.kid ?? null) : null,
  }
}

function sayShown(shown: ShownRevocation, view: RegistryView, nowMs: number): ShownAnswer {
  const { at, statement, revocation } = shown
  return {
    statement,
    at,
    height: keyRecordOf(view, revocation.kid)?.revoked?.height ?? null,
    isOverdue: overdueRevocations([shown], view, nowMs).length > 0,
  }
}
