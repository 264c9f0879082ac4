// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../../errors.ts'
import type { Actor } from '../bridge.ts'

/** Longest text that is taken over from a header into the access log. */
const MAX_SAID_CHARACTERS = 256
const DEFAULT_PURPOSE = 'TREAT'

/** Whoever asks on this computer, as they say themselves: nobody checks it. @throws AmpereError REQUEST_MALFORMED */
export function localActor(headers: Headers): Actor {
  return {
    user: said(headers, 'user') ?? 'local',
    role: said(headers, 'role') ?? 'integrator',
    purpose: said(headers, 'purpose') ?? DEFAULT_PURPOSE,
  }
}

/** A client that proved who it is; what it says of its user stays a claim. @throws AmpereError REQUEST_MALFORMED */
export function clientActor(client: string, headers: Headers): Actor {
  const [user, role] = [said(headers, 'user'), said(headers, 'role')]
  const claims = { ...(user === null ? {} : { user }), ...(role === null ? {} : { role }) }
  return {
    user: `client:${client}`,
    role: 'client',
    purpose: said(headers, 'purpose') ?? DEFAULT_PURPOSE,
    ...(user === null && role === null ? {} : { claims }),
  }
}

function said(headers: Headers, name: string): string | null {
  const value = headers.get(`x-ampere-${name}`)
  if (value !== null && value.length > MAX_SAID_CHARACTERS)
    throw new AmpereError(
      'REQUEST_MALFORMED',
      `x-ampere-${name} is longer than ${MAX_SAID_CHARACTERS} characters`,
    )
  return value
}
