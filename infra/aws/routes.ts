// SPDX-License-Identifier: Apache-2.0
import { HOME_OPERATIONS } from '#functions/roles.ts'

/** A route of an HTTP API: `*` for every method; a path of null for all that no other route has. */
export interface Route {
  readonly method: string
  readonly path: string | null
}

/** Who answers what is no route at all, with the problem document that a home in one process gives. */
const ANSWERS_THE_REST = 'discovery'
/** What is below, its app tells apart. */
const OF_BRIDGE: readonly Route[] = [
  ...['/fhir', '/fhir/{path+}', '/oauth/{path+}', '/clients', '/clients/{path+}'].map((path) => ({
    method: '*',
    path,
  })),
  { method: 'POST', path: '/pairing' },
  { method: 'POST', path: '/rows' },
]

/** The routes of a role, from its operations; whatever can be got can be asked for its headers alone. */
export function routesOf(role: string): readonly Route[] {
  if (role === 'bridge') return OF_BRIDGE
  const operations = Object.entries(HOME_OPERATIONS).find(([name]) => name === role)?.[1] ?? []
  const routes = operations.flatMap(({ method, pattern }) => {
    const path = pathOf(pattern)
    return method === 'GET'
      ? [
          { method, path },
          { method: 'HEAD', path },
        ]
      : [{ method, path }]
  })
  return role === ANSWERS_THE_REST ? [...routes, { method: '*', path: null }] : routes
}

/** `/log/tile/:tile{.+}` -> `/log/tile/{tile+}`; what a segment may be, the app itself checks. */
function pathOf(pattern: string): string {
  return pattern
    .replace(/:(\w+)\{\.\+\}$/, '{$1+}')
    .replace(/:(\w+)\{[^}]*\}/g, '{$1}')
    .replace(/:(\w+)/g, '{$1}')
}
