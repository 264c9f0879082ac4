// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId, Kid } from '../bytes/ids.ts'
import { toTimestamp } from '../bytes/timestamp.ts'
import { verifyJws } from '../block/jws.ts'
import { isSignedFor, parseAuthorization, type SignedRequest } from '../api/request.ts'
import { deviceKeys } from '../chain/devices.ts'
import { isInForce } from '../chain/rules/authority.ts'
import { devicesOf, grantOf, type ControlState } from '../chain/state.ts'
import { AmpereError } from '../errors.ts'
import type { Now } from '../ports/keys.ts'
import type { RegistryHistory } from '../registry/history.ts'
import { activeInstanceOf, activeRootOf, asOf, keyRecordOf } from '../registry/snapshot.ts'
import type { Home } from './home.ts'

/** Who sent a request, as its signature proves. A device's key is known only to its chain. */
export interface Caller {
  readonly kid: Kid
  readonly institution: InstitutionId | null
  readonly capabilities: readonly string[]
  /** Name under which the caller holds packages. */
  readonly reader: string
  /** By which the caller was known, as it was read for this request. */
  readonly registry: RegistryHistory
}

/** A request as it came. */
interface SignedCall {
  readonly method: string
  readonly url: URL
  readonly body: Uint8Array
  readonly authorization: string | null
  readonly now: Now
}

/**
 * Checks the signed request in an Authorization header. `state` is the chain's, where the request names one.
 * @throws AmpereError UNAUTHORIZED
 */
export async function authenticate(
  home: Home,
  request: SignedCall,
  state: ControlState | null,
): Promise<Caller> {
  const { jws, request: signed } = parseAuthorization(request.authorization)
  const registry = await home.registry.refresh()
  const newest = asOf(registry.newest(), request.now())
  const device = deviceKeys([state]).get(jws.kid)
  // Enrolling needs no proof of the key: an institution must not turn a patient's device into an instance of its own.
  const active = device ? null : activeInstanceOf(newest, jws.kid)
  const key = device ?? (active ? keyRecordOf(newest, jws.kid)?.jwk : undefined)
  if (!key) throw unauthorized('the key is not active')
  await verifyJws(jws, key, home.verifiers)
  checkSignedFor(home, signed, request)
  return {
    kid: jws.kid,
    institution: active?.institution.id ?? null,
    capabilities: active?.instance.capabilities ?? [],
    reader: active?.institution.id ?? jws.kid,
    registry,
  }
}

/**
 * The active institution by whose root key, or active app instance, the request in an Authorization header is signed.
 * @throws AmpereError UNAUTHORIZED
 */
export async function authenticateMember(home: Home, request: SignedCall): Promise<InstitutionId> {
  const { jws, request: signed } = parseAuthorization(request.authorization)
  const newest = asOf((await home.registry.refresh()).newest(), request.now())
  const root = activeRootOf(newest, jws.kid)
  const active = activeInstanceOf(newest, jws.kid)
  const key = root?.root ?? active?.key.jwk
  const institution = root ?? active?.institution
  if (!key || !institution) throw unauthorized('the key is not active')
  await verifyJws(jws, key, home.verifiers)
  checkSignedFor(home, signed, request)
  return institution.id
}

function checkSignedFor(home: Home, signed: SignedRequest, { method, url, body, now }: SignedCall): void {
  const asked = { origin: home.origin, method, target: url.pathname + url.search, body }
  if (!isSignedFor(signed, asked, now())) throw unauthorized('the signature is for another request or time')
}

/**
 * May this caller fetch the sealed parts of this chain? Everything it gets is ciphertext and signed blocks. A grant
 * that has ended lets nobody in, though its institution holds the keys until somebody rotates them.
 * @throws AmpereError NOT_FOUND, the same as for a chain that does not exist
 */
export function checkMayFetch(caller: Caller, state: ControlState, nowMs: number): void {
  const controls = state.controllers.members.some((member) =>
    member.kind === 'device' ? member.kid === caller.kid : member.institution === caller.institution,
  )
  const recovers = devicesOf(state.recovery).some(({ kid }) => kid === caller.kid)
  const grant = caller.institution === null ? null : grantOf(state, caller.institution)
  if (controls || recovers || (grant && isInForce(grant, toTimestamp(nowMs)))) return
  throw new AmpereError('NOT_FOUND', 'no such chain')
}

/**
 * Has this caller's institution, at this time, the right to hold a copy of the chain? Devices have no grants.
 */
export function mayHold(caller: Caller, state: ControlState, nowMs: number): boolean {
  const grant = caller.institution === null ? null : grantOf(state, caller.institution)
  return grant !== null && grant.rights.includes('hold') && isInForce(grant, toTimestamp(nowMs))
}

function unauthorized(what: string): AmpereError {
  return new AmpereError('UNAUTHORIZED', `request: ${what}`)
}
