// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { type AuditorPorts } from '#core/server/audit/needs.ts'
import { authenticate } from '#core/server/authenticate.ts'
import type { Home } from '#core/server/home.ts'
import { chainParameter, countParameter, createApp, type Hosting, type RoleApp } from '../host/app.ts'

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
    if (chain !== 'all') return c.json(await auditChains(ports, home, [chainParameter(chain)]))
    const from = c.req.query('from')
    const chains = listChains(ports, from === undefined ? null : chainParameter(from))
    const limit = Math.max(1, countParameter(new URL(c.req.url), 'limit', Number.MAX_SAFE_INTEGER))
    return c.json(await auditChains(ports, home, chains, undefined, limit))
  })
  return app
}
