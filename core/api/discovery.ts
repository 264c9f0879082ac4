// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { count, deploymentId, digest, kid, timestamp } from '../bytes/schema.ts'
import { LIMITS, type LimitName } from './limits.ts'
import { bodiesAnswer } from './large/upload.ts'

/** Where a home serves what describes it. */
export const LINKS = {
  openapi: '/openapi.json',
  jwks: '/.well-known/jwks.json',
  live: '/health/live',
  ready: '/health/ready',
} as const

const limitSchemas = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { means }]) => [name, v.pipe(count, v.description(means))]),
) as unknown as Readonly<Record<LimitName, typeof count>>

/** The values of all limits by name, as /.well-known/ampere states them. */
export const LIMIT_VALUES = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { value }]) => [name, value]),
) as Record<LimitName, number>

const keyName = v.pipe(v.string(), v.description('Name of the keys, c2sp.org/signed-note.'))
const verifierKeys = v.pipe(
  v.array(v.string()),
  v.description(
    'Verifier keys, c2sp.org/signed-note: Ed25519, then ML-DSA-44. Whoever relies on them compares them with what the operator says by another way.',
  ),
)

/** How a home stands to the registry that it serves. */
const registryStanding = v.pipe(
  v.picklist(['home', 'followed', 'unseen', 'forked', 'unknown']),
  v.description(
    '`home`: the registry is at home here. `followed`: all that its home showed within 300 s is here. `unseen`: its home was not seen for longer, so a key that was revoked since is refused only where that was shown here. `forked`: the registry was shown with two histories, and is followed no more. `unknown`: the store does not say.',
  ),
)

/** What a home says of itself to anybody. */
export const homeAnswer = v.object({
  deployment: deploymentId,
  origin: v.string(),
  registry: v.pipe(digest, v.description('Id of the registry that this home serves.')),
  following: v.pipe(
    v.optional(
      v.object({
        standing: registryStanding,
        home: v.pipe(
          v.nullable(v.string()),
          v.description('Origin of the home of the registry; null where it is unknown.'),
        ),
        seen: v.pipe(
          v.nullable(timestamp),
          v.description(
            'When the home of the registry was seen last; null for never, and where that is here.',
          ),
        ),
      }),
    ),
    v.description('How this home stands to the registry that it serves; older homes do not say.'),
  ),
  durability: v.picklist(['local', 'region', 'mirrored']),
  log: v.pipe(
    v.object({ name: keyName, url: v.string(), keys: verifierKeys }),
    v.description('The transparency log of this home, and the keys that sign its checkpoints.'),
  ),
  witness: v.pipe(
    v.object({ name: keyName, url: v.string(), keys: verifierKeys }),
    v.description('The witness that this home is for the logs of others, and the keys that it cosigns with.'),
  ),
  roles: v.array(v.string()),
  bridges: v.pipe(
    v.optional(v.array(v.string())),
    v.description(
      'Institutions whose bridges run in the same account, where whoever runs it may open what they may; older homes do not say.',
    ),
  ),
  limits: v.object(limitSchemas),
  bodies: v.pipe(v.optional(bodiesAnswer), v.description('What fits through here; older homes do not say.')),
  links: v.object({ openapi: v.string(), jwks: v.string(), live: v.string(), ready: v.string() }),
})

const use = v.literal('sig')
/** The keys that sign this home's head and erasure statements, RFC 7517; revoked ones are not in it. */
export const jwksAnswer = v.object({
  keys: v.array(
    v.variant('kty', [
      v.object({
        kty: v.literal('EC'),
        kid,
        use,
        alg: v.literal('ES256'),
        crv: v.literal('P-256'),
        x: v.string(),
        y: v.string(),
      }),
      v.object({
        kty: v.literal('OKP'),
        kid,
        use,
        alg: v.literal('Ed25519'),
        crv: v.literal('Ed25519'),
        x: v.string(),
      }),
      v.object({ kty: v.literal('AKP'), kid, use, alg: v.literal('ML-DSA-44'), pub: v.string() }),
    ]),
  ),
})

/** The process runs. */
export const liveAnswer = v.object({ status: v.literal('live') })
/** The process runs and its store answers. */
export const readyAnswer = v.object({
  status: v.literal('ready'),
  log: v.pipe(
    v.picklist(['ok', 'failing']),
    v.description(
      '`failing`: blocks are stored and not logged. Records can still be read, and taking the home out of service would mend nothing.',
    ),
  ),
  registry: registryStanding,
})

/** Whose log or witness it is, where, and under which keys. */
export type NamedKeys = HomeAnswer['log']
export type HomeAnswer = v.InferOutput<typeof homeAnswer>
export type JwksAnswer = v.InferOutput<typeof jwksAnswer>
/** How a home stands to the registry that it serves. */
export type RegistryStanding = v.InferOutput<typeof registryStanding>
