// SPDX-License-Identifier: Apache-2.0
import type { ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { columns, localTime } from '../../terminal/words.ts'
import { instancesIn, keyOf, withRegistry } from './registry-session.ts'

/** Lists an institution's app instances, or with --all those of every institution of the registry. */
export async function listInstances(call: Call<ActingOptions & { readonly all?: boolean }>): Promise<number> {
  return withRegistry(call, async ({ institution, state, height }) => {
    const own = new Set<string>(institution.instances.map(({ kid }) => kid))
    const items = instancesIn(state())
      .filter((instance) => call.options.all === true || instance.institution === institution.id)
      .map((instance) => {
        const revoked = keyOf(state(), instance)?.revoked ?? null
        return {
          id: instance.id,
          institution: instance.institution,
          status: instance.status,
          revoked,
          capabilities: instance.capabilities,
          expires: instance.expires ?? null,
          kid: instance.signing,
          isHere: own.has(instance.signing),
        }
      })
    const rows = items.map((item) => [
      item.id,
      item.revoked ? `revoked (${item.revoked.reason}, registry block ${item.revoked.height})` : item.status,
      item.kid.slice(0, 8),
      item.isHere ? 'key here' : 'key elsewhere',
      item.expires === null ? 'does not expire' : `until ${localTime(item.expires)}`,
      item.capabilities.join(' '),
    ])
    call.screen.print({ ok: true, registryHeight: height(), items }, columns(rows, ''))
    return EXIT.ok
  })
}
