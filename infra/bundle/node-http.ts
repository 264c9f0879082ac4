// SPDX-License-Identifier: Apache-2.0
import http from 'node:http'
import type { Plugin } from 'rolldown'

const NAMES: readonly string[] = ['http', 'node:http']
const MODULE = '\0node-http'

/**
 * Has `node:http` be had without its `WebSocket`. What imports the module has Node read all that it exports, and that one brings
 * the whole of Node's fetch with it: 40 ms of each cold start, for those that never fetch. What is required is not read so.
 */
export function withoutWebSocket(): Plugin {
  return {
    name: 'without-web-socket',
    resolveId: (source, _, { kind }) => {
      if (!NAMES.includes(source)) return null
      return kind === 'require-call' ? { id: 'node:http', external: true } : MODULE
    },
    load: (id) => (id === MODULE ? code() : null),
  }
}

/** What Node has only when it is asked for is left out: what would use it does not bundle. */
function code(): string {
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(http))
  const names = descriptors.flatMap(([name, descriptor]) => ('value' in descriptor ? [name] : []))
  return `const http = process.getBuiltinModule('node:http')\nexport default http\nexport const { ${names.join(', ')} } = http\n`
}
