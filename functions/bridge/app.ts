// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Bridge } from '#core/bridge/bridge.ts'
import { capabilityStatement } from '#core/bridge/serve/capability.ts'
import type { Login } from '#core/bridge/token/login.ts'
import { securityStatement, smartConfiguration } from '#core/bridge/token/smart-configuration.ts'
import { AmpereError } from '#core/errors.ts'
import { createApp, type Hosting, type RoleApp } from '../host/app.ts'
import { fhir, fhirProblem, placeOf } from './answers.ts'
import { createGuard } from './guard.ts'
import { addOauth } from './oauth.ts'
import { addReads } from './reads.ts'
import { addWrites } from './writes.ts'

/**
 * One institution's FHIR R4 endpoint, and where its clients get their tokens. Every answer about a patient is entered in
 * the access log, with who asked as `login` knows them.
 */
export function bridgeApp(bridge: Bridge, hosting: Hosting, login: Login): RoleApp {
  const app = createApp('bridge', hosting)
  app.onError((error, c) => fhirProblem(c, error, hosting))
  app.get('/fhir/metadata', (c) =>
    fhir(
      capabilityStatement(
        placeOf(c).base,
        toTimestamp(hosting.now()),
        bridge.ports.validator,
        securityStatement(login.addresses),
      ),
    ),
  )
  app.get('/fhir/.well-known/smart-configuration', (c) => c.json(smartConfiguration(login.addresses)))
  addOauth(app, login, hosting)
  const guard = createGuard(login)
  addReads(app, bridge, guard)
  addWrites(app, bridge, guard, hosting)
  // FHIR clients read an OperationOutcome; the home's own answer to an unknown route is none.
  app.all('/fhir/*', async (c) => {
    await guard.caller(c)
    throw new AmpereError('UNSUPPORTED', 'no such interaction; metadata lists those there are')
  })
  return app
}
