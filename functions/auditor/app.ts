// SPDX-License-Identifier: Apache-2.0
import { asChainId } from '#core/bytes/ids.ts'
import { AmpereError } from '#core/errors.ts'
import { auditChains, listChains, type AuditorPorts } from '#core/server/audit.ts'
import { authenticate } from '#core/server/authenticate.ts'
import type { Home } from '#core/server/home.ts'
import { createApp, type Hosting, type RoleApp } from '../host/app.ts'

/** Verifies what the home holds, on demand. Its answers name chains and rules, never contents. */
export function auditorApp(ports: AuditorPorts, home: Home, hosting: Hosting): RoleApp {
  const app = createApp('auditor', hosting)
  app.get('/v1/audits/:chain', async (c) => {
    const caller = await authenticate(
      home,
      {
        method: 'GET',
        url: new URL(c.req.url),
        body: new Uint8Array(0),
        authorization: c.req.header('authorization') ?? null,
        now: ports.now,
      },
      null,
    )
    if (!caller.capabilities.includes('control'))
      throw new AmpereError('FORBIDDEN', 'auditing needs capability control')
    const { chain } = c.req.param()
    const chains = chain === 'all' ? listChains(ports) : [asChainId(chain)]
    return c.json(await auditChains(ports, home, chains))
  })
  return app
}
