// SPDX-License-Identifier: Apache-2.0
import type { ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { instancesIn, keyOf, withRegistry } from './registry-session.ts'

/** Lifts the suspension of an app instance of an institution of this machine. Retired and compromised keys stay revoked. */
export async function reinstateInstance(call: Call<ActingOptions>): Promise<number> {
  const { screen, args } = call
  return withRegistry(call, async ({ institution, state, height, change }) => {
    const instance = instancesIn(state()).find(
      (each) => each.id === args[0] && each.institution === institution.id,
    )
    const key = instance ? keyOf(state(), instance) : null
    if (!instance || !key)
      throw refuse(
        'NOT_FOUND',
        `${institution.id} has no such app instance`,
        'npx ampere instance list --all',
      )
    const reason = key.revoked?.reason ?? null
    if (reason !== null && reason !== 'suspended') {
      const next = `npx ampere instance enrol ${instance.id}`
      throw refuse(
        'VIOLATION',
        `${instance.id} is revoked for good (${reason}): it can only be enrolled anew`,
        next,
      )
    }
    screen.stopping.keeps(() => 'Whether the instance was reinstated, npx ampere instance list says.')
    if (reason !== null)
      await change({ act: 'reinstate', kid: key.kid }, (after) => keyOf(after, instance)?.revoked === null)
    const said = { ok: true, changed: reason !== null, instance: instance.id, kid: key.kid }
    screen.print({ ...said, registryHeight: height() }, [
      reason === null
        ? `${instance.id} is not suspended. Nothing was changed.`
        : `${instance.id} acts again since registry block ${height()}.`,
    ])
    return EXIT.ok
  })
}
