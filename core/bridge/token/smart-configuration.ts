// SPDX-License-Identifier: Apache-2.0
import { CLIENT_ALGORITHMS } from '../../token/client-keys.ts'
import type { Addresses } from './endpoint.ts'

const METHODS = ['private_key_jwt']

/** What `/fhir/.well-known/smart-configuration` says (SMART App Launch 2, "Conformance"). */
export function smartConfiguration({ token, introspect, revoke }: Addresses): object {
  return {
    token_endpoint: token,
    token_endpoint_auth_methods_supported: METHODS,
    token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    introspection_endpoint: introspect,
    introspection_endpoint_auth_methods_supported: METHODS,
    revocation_endpoint: revoke,
    revocation_endpoint_auth_methods_supported: METHODS,
    grant_types_supported: ['client_credentials'],
    scopes_supported: ['system/*.rs', 'system/*.cruds'],
    // Required of every server, also one that has no authorization endpoint to use it at.
    code_challenge_methods_supported: ['S256'],
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  }
}

/** `CapabilityStatement.rest.security`: how to find what the well-known document says. */
export function securityStatement({ token, introspect, revoke }: Addresses): object {
  return {
    extension: [
      {
        url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
        extension: [
          { url: 'token', valueUri: token },
          { url: 'introspect', valueUri: introspect },
          { url: 'revoke', valueUri: revoke },
        ],
      },
    ],
    cors: false,
    service: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
            code: 'SMART-on-FHIR',
          },
        ],
        text: 'OAuth2 using SMART Backend Services',
      },
    ],
    description: 'SMART Backend Services: client_credentials with private_key_jwt (RS384 or ES384).',
  }
}
