// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

/** What a scope lets do with resources of a type: create, read (with versions and their history), update, delete, search. */
export type Interaction = 'c' | 'r' | 'u' | 'd' | 's'

/** What is allowed: for each resource type, or `*`, its letters in the order `cruds`; nothing that `*` says already. */
export type Scopes = ReadonlyMap<string, string>

/** SMART App Launch 2: the letters in this order, at least one. */
const LETTERS = /^(?=[cruds])c?r?u?d?s?$/
const ORDER: readonly Interaction[] = ['c', 'r', 'u', 'd', 's']
/** Permissions of version 1, as version 2 says what they mean. */
const VERSION_1: ReadonlyMap<string, string> = new Map([
  ['read', 'rs'],
  ['write', 'cud'],
  ['*', 'cruds'],
])
const RESOURCE_SCOPE = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{0,63})\.([^?]*)(\?.*)?$/
/** RFC 6749 section 3.3: words of these characters, a space between two. */
const WORDS = /^[\u0021\u0023-\u005b\u005d-\u007e]+(?: [\u0021\u0023-\u005b\u005d-\u007e]+)*$/
/** More than one scope for every type of FHIR R4, and little enough to fit into a header with a token around it. */
export const MAX_SCOPE_CHARACTERS = 4096

/** Everything that a backend service can be allowed. */
export const ALL_SCOPES: Scopes = new Map([['*', 'cruds']])

/**
 * Scopes of a backend service (`system/Observation.rs system/*.read`), normalised: version 1 as version 2, one scope for
 * each type. All others (`patient/`, `user/`, `openid`, `launch`) allow a backend service nothing and are left out.
 * @throws AmpereError REQUEST_MALFORMED where the text is none or a scope is not well-formed; UNSUPPORTED for one that is
 * narrowed by a query: to ignore that would allow more than was asked for
 */
export function parseScopes(text: string): Scopes {
  if (text.length > MAX_SCOPE_CHARACTERS || !WORDS.test(text))
    throw new AmpereError('REQUEST_MALFORMED', 'scopes are words separated by single spaces')
  return readScopes(text)
}

/** Scopes as `formatScopes` wrote them, which may be longer than what was asked for: `*` is one character, and `cruds` five. */
export function readScopes(text: string): Scopes {
  const letters = new Map<string, string>()
  for (const word of text.split(' ')) {
    if (!/^(patient|user|system)\//.test(word)) continue
    const [, context, type = '', permission = '', query] = RESOURCE_SCOPE.exec(word) ?? []
    const allowed = VERSION_1.get(permission) ?? (LETTERS.test(permission) ? permission : null)
    if (context === undefined || allowed === null)
      throw new AmpereError('REQUEST_MALFORMED', 'a scope is not of the form system/TYPE.cruds')
    if (query !== undefined)
      throw new AmpereError('UNSUPPORTED', 'scopes that are narrowed by a query are not supported')
    if (context === 'system') letters.set(type, (letters.get(type) ?? '') + allowed)
  }
  return normalised(letters)
}

/** As RFC 6749 writes them, in the order of their types. The same scopes have the same text. */
export function formatScopes(scopes: Scopes): string {
  return [...scopes].map(([type, letters]) => `system/${type}.${letters}`).join(' ')
}

/** Whether resources of a type may be used so. */
export function isAllowed(scopes: Scopes, interaction: Interaction, type: string): boolean {
  return lettersFor(scopes, type).includes(interaction)
}

/** What both allow. */
export function intersection(a: Scopes, b: Scopes): Scopes {
  const common = new Map<string, string>()
  for (const type of new Set([...a.keys(), ...b.keys()])) {
    const [inA, inB] = [lettersFor(a, type), lettersFor(b, type)]
    common.set(type, ORDER.filter((one) => inA.includes(one) && inB.includes(one)).join(''))
  }
  return normalised(common)
}

function lettersFor(scopes: Scopes, type: string): string {
  return (scopes.get('*') ?? '') + (scopes.get(type) ?? '')
}

function normalised(letters: ReadonlyMap<string, string>): Scopes {
  const ofAll = letters.get('*') ?? ''
  // The asterisk sorts before every letter.
  const sorted = [...letters].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const ordered = sorted.map(([type, given]): [string, string] => [
    type,
    ORDER.filter((one) => given.includes(one) && (type === '*' || !ofAll.includes(one))).join(''),
  ])
  return new Map(ordered.filter(([, kept]) => kept !== ''))
}
