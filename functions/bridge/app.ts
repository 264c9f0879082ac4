// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Bridge } from '#core/bridge/bridge.ts'
import { capabilityStatement } from '#core/bridge/serve/capability.ts'
import { AmpereError } from '#core/errors.ts'
import { createApp, type Hosting, type RoleApp } from '../host/app.ts'
import { fhir, fhirProblem, placeOf } from './answers.ts'
import { addReads } from './reads.ts'
import { addWrites } from './writes.ts'

/** Says whether whoever asks may; what it throws is answered. */
export type Authorize = (c: Context) => Promise<void>

/**
 * One institution's FHIR R4 endpoint. Every answer about a patient is entered in the access log.
 * @param authorize asked before anything but what anybody may know is answered
 */
export function bridgeApp(bridge: Bridge, hosting: Hosting, authorize: Authorize = letIn): RoleApp {
  const app = createApp('bridge', hosting)
  app.onError((error, c) => fhirProblem(c, error, hosting))
  app.get('/fhir/metadata', (c) =>
    fhir(capabilityStatement(placeOf(c).base, toTimestamp(hosting.now()), bridge.ports.validator)),
  )
  app.use(async (c, next) => {
    await authorize(c)
    await next()
  })
  addReads(app, bridge)
  addWrites(app, bridge, hosting)
  // FHIR clients read an OperationOutcome; the home's own answer to an unknown route is none.
  app.all('/fhir/*', () => {
    throw new AmpereError('UNSUPPORTED', 'no such interaction; metadata lists those there are')
  })
  return app
}

/** Lets everybody in who reaches it: where it listens on this computer alone. */
async function letIn(): Promise<void> {}

/** Lets nobody in. @throws AmpereError UNAUTHORIZED */
export async function letNobodyIn(): Promise<void> {
  throw new AmpereError('UNAUTHORIZED', 'nobody can log in here yet')
}
