// SPDX-License-Identifier: Apache-2.0
import { isAllowed, type Scopes } from '../../token/scopes.ts'

/** What of a patient's record scopes let be listed. */
export interface WithinScopes {
  includes(type: string): boolean
  /** The same Bundle, saying that something may have been left out where the scopes are not for every type. */
  said(bundle: object): object
}

/**
 * `$everything` is read of the Patient and searched of all else. What is left out is said by the scopes alone: whether there
 * was something, nobody learns.
 */
export function withinScopes(scopes: Scopes): WithinScopes {
  const isWhole = isAllowed(scopes, 's', '*')
  return {
    includes: (type) => isAllowed(scopes, 's', type) || (type === 'Patient' && isAllowed(scopes, 'r', type)),
    said: (bundle) => (isWhole ? bundle : withNote(bundle)),
  }
}

const NOTE = {
  resource: {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'information',
        code: 'suppressed',
        diagnostics: 'Resources of types that the access token does not cover are not in this Bundle.',
      },
    ],
  },
  search: { mode: 'outcome' },
}

function withNote(bundle: object): object {
  const { entry } = bundle as { readonly entry: readonly object[] }
  return { ...bundle, entry: [...entry, NOTE] }
}
