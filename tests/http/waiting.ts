// SPDX-License-Identifier: Apache-2.0
import type { Connection } from '#core/client/connect.ts'
import type { TestDeployment } from '#tests/deployment.ts'

/** A connection whose appends wait for the log, and what the home answered to them. */
export function waitingFor(
  world: TestDeployment,
  level: 'logged' | 'witnessed',
): { readonly waiting: Connection; readonly taken: readonly Response[] } {
  const taken: Response[] = []
  const waiting = world.connect('hospital-a', {
    fetch: async (request) => {
      if (request.method !== 'POST') return world.fetch(request)
      const answer = await world.fetch(new Request(`${request.url}?wait=${level}`, request))
      taken.push(answer.clone())
      return answer
    },
  })
  return { waiting, taken }
}
