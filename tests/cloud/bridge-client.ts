// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fetch } from '#core/ports/keys.ts'
import { bundle, observation, patient } from '#tests/core/bridge/requests.ts'
import { assertion, ecPair } from '#tests/core/token/clients.ts'

const EHR = ecPair('ehr-1')
const FHIR = 'application/fhir+json'

/** A file with the public keys of an EHR, as `client add --jwks` takes it. */
export function keySetIn(folder: string): string {
  const file = join(folder, 'ehr.json')
  writeFileSync(file, JSON.stringify({ keys: [EHR.jwk] }))
  return file
}

/** An EHR that was registered at a bridge as `ehr`. */
export interface Ehr {
  /** Files a patient with an observation. */
  readonly files: (patientId: string, observationId: string) => Promise<void>
  /** A FHIR resource or a list, by what follows `/fhir`. */
  readonly reads: (path: string) => Promise<Record<string, unknown>>
}

/** Software over a bridge's HTTP API, with a new token for each request: one ends after five minutes, however long a test takes. @param origin the bridge's */
export function ehrAt(ask: Fetch, origin: string): Ehr {
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${await tokenOf(ask, origin)}`, 'content-type': FHIR }
    return ask(new Request(`${origin}/fhir${path}`, { ...init, headers }))
  }
  return {
    files: async (patientId, observationId) => {
      const body = bundle('transaction', [patient(patientId), observation(observationId, patientId)])
      const filed = await send('', { method: 'POST', body })
      const said = { status: filed.status, body: (await filed.json()) as object }
      expect(said).toMatchObject({ status: 200, body: { type: 'transaction-response' } })
    },
    reads: async (path) => {
      const answer = await send(`/${path}`)
      const resource = (await answer.json()) as Record<string, unknown>
      expect({ path, status: answer.status, resource }).toMatchObject({ status: 200 })
      return resource
    },
  }
}

async function tokenOf(ask: Fetch, origin: string): Promise<string> {
  const about = {
    client: 'ehr',
    aud: `${origin}/oauth/token`,
    nowMs: Date.now(),
    jti: crypto.randomUUID(),
  }
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion(EHR, about),
  })
  const given = await ask(
    new Request(about.aud, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    }),
  )
  const { access_token: token } = (await given.json()) as { access_token?: string }
  expect({ status: given.status, has: typeof token }).toEqual({ status: 200, has: 'string' })
  return token ?? ''
}
