// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import { OTLP_ENDPOINT } from '#functions/host/cloud/config.ts'

/** A parameter that names a collector of telemetry, as `ampere.json` may have it; empty for none. @throws AmpereError CONFIGURATION */
export function otlpEndpointOf(given: string | number): string {
  const endpoint = String(given)
  if (endpoint === '' || OTLP_ENDPOINT.test(endpoint)) return endpoint
  throw new AmpereError(
    'CONFIGURATION',
    'otlpEndpoint is the URL of a collector, without an account, a query or a fragment: https://collector.example:4318',
  )
}

/** What `ampere.json` says of it. */
export function telemetryOf(endpoint: string): { readonly endpoint: string } | null {
  return endpoint === '' ? null : { endpoint }
}
