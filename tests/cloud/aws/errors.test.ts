// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { inspect } from 'node:util'
import type { AwsService } from '#adapters/aws/clients/calls.ts'
import { openAws, type AwsOptions } from '#adapters/aws/open.ts'
import { AmpereError, type ErrorCode } from '#core/errors.ts'
import type { Platform } from '#core/ports/needs.ts'
import { refuse, type No } from './fakes/fake-answers.ts'
import { fakeServer, type FakeServer } from './fakes/fake-server.ts'

const KEY = '11111111-2222-3333-4444-555555555555'
const SECRET = 'the-secret-of-these-tests'
const OPTIONS: AwsOptions = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test', sessionToken: SECRET },
  naming: { prefix: 'ampere', buckets: { bucketPrefix: 'ampere' }, keys: { kms: { sealing: KEY } } },
}

/** One call of each service; the names in it are those of a patient. */
const ACTS: Readonly<Record<AwsService, (platform: Platform) => Promise<unknown>>> = {
  dynamodb: (platform) => platform.table('blocks').insert('patient', 'patient', new Uint8Array(1)),
  s3: (platform) => platform.objects('entries').store('patient', new Uint8Array(1)),
  kms: async (platform) => (await platform.unwrapper('sealing')).wrap(new Uint8Array(32)),
}
const OPERATIONS = { dynamodb: 'dynamodb:PutItem', s3: 's3:PutObject', kms: 'kms:Encrypt' } as const
const PLACES = { dynamodb: 'table ampere-blocks', s3: 'bucket ampere-entries', kms: `key ${KEY}` } as const
const SERVICES = Object.keys(ACTS) as readonly AwsService[]

const held: {
  answer: ((service: AwsService) => No | 'nothing' | 'cut') | null
  server?: FakeServer
  service: AwsService
} = {
  answer: null,
  service: 'dynamodb',
}
let requests = 0
beforeAll(async () => {
  held.server = await fakeServer((_, response) => {
    requests++
    const said = held.answer?.(held.service) ?? 'nothing'
    if (said === 'cut') response.destroy()
    else if (said !== 'nothing') refuse(held.service, response, said)
  })
})
afterAll(async () => held.server?.close())

/** How a call of this service fails, when AWS answers so. */
async function failure(
  service: AwsService,
  answer: (service: AwsService) => No | 'nothing' | 'cut',
  more: Partial<AwsOptions> = {},
): Promise<AmpereError> {
  Object.assign(held, { answer, service })
  requests = 0
  const platform = openAws({ ...OPTIONS, endpoint: held.server?.url ?? '', ...more })
  const error = await ACTS[service](platform).then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  )
  await platform.close()
  if (!(error instanceof AmpereError)) throw error
  expect(inspect(error, { depth: 8, showHidden: true })).not.toMatch(
    new RegExp(`patient|${SECRET}|Signature=`),
  )
  return error
}

const json = (name: string, status = 400, message = ''): No => ({ status, name, message })
const unavailable = (service: AwsService): ErrorCode =>
  service === 'kms' ? 'KEY_UNAVAILABLE' : 'STORE_UNAVAILABLE'
const denied = (service: AwsService): ErrorCode => (service === 'kms' ? 'KEY_UNAVAILABLE' : 'CONFIGURATION')
const configuration = (): ErrorCode => 'CONFIGURATION'

const SAID: readonly {
  readonly what: string
  readonly answer: Readonly<Record<AwsService, No>>
  readonly code: (service: AwsService) => ErrorCode
  readonly message: (service: AwsService) => string
}[] = [
  {
    what: 'throttled',
    answer: {
      dynamodb: json('ProvisionedThroughputExceededException'),
      s3: json('SlowDown', 503),
      kms: json('ThrottlingException'),
    },
    code: unavailable,
    message: (service) => `AWS takes no more of ${OPERATIONS[service]} now; try again later`,
  },
  {
    what: 'an error of the service',
    answer: {
      dynamodb: json('InternalServerError', 500),
      s3: json('InternalError', 500),
      kms: json('KMSInternalException', 500),
    },
    code: unavailable,
    message: (service) => `${OPERATIONS[service]} failed`,
  },
  {
    what: 'not allowed',
    answer: {
      dynamodb: json('AccessDeniedException', 400, 'User: arn:patient is not authorized'),
      s3: json('AccessDenied', 403),
      kms: json('AccessDeniedException', 400),
    },
    code: denied,
    message: (service) =>
      `AWS does not allow ${OPERATIONS[service]} on ${PLACES[service]}: see the policy of this role`,
  },
  {
    what: 'in another region, or called otherwise',
    answer: {
      dynamodb: json('ResourceNotFoundException'),
      s3: json('NoSuchBucket', 404),
      kms: json('NotFoundException'),
    },
    code: denied,
    message: (service) =>
      `there is no ${PLACES[service]} in eu-central-1: see the region and the names of this deployment`,
  },
  {
    what: 'signed at a wrong time',
    answer: {
      dynamodb: json(
        'InvalidSignatureException',
        400,
        'Signature expired: 20200101T000000Z is now earlier than',
      ),
      s3: json('RequestTimeTooSkewed', 403),
      kms: json('InvalidSignatureException', 400, 'Signature not yet current: 20300101T000000Z'),
    },
    code: configuration,
    message: (service) =>
      `AWS refuses ${OPERATIONS[service]} because the clock of this computer is wrong: have it set from the network`,
  },
  {
    what: 'signed with wrong credentials',
    answer: {
      dynamodb: json('UnrecognizedClientException'),
      s3: json('InvalidAccessKeyId', 403),
      kms: json('ExpiredTokenException'),
    },
    code: configuration,
    message: (service) =>
      `AWS has no valid credentials for ${OPERATIONS[service]}: there are none, or they are wrong or expired`,
  },
]

describe('what AWS refuses (a fake of its answers)', () => {
  describe.each(SERVICES)('%s', (service) => {
    it.each(SAID)('is one error when it is $what, after one request', async ({ answer, code, message }) => {
      const error = await failure(service, (asked) => answer[asked])
      expect([error.code, error.message]).toEqual([code(service), message(service)])
      expect(requests).toBe(1)
    })

    it('is one error when the connection is cut, after one request', async () => {
      const error = await failure(service, () => 'cut')
      // Jest runs the SDK in another realm than Node's own errors, which it then cannot tell apart.
      expect(error.code).toBe(unavailable(service))
      expect(requests).toBe(1)
    })

    it('is one error when nobody listens', async () => {
      const error = await failure(service, () => 'nothing', { endpoint: 'http://127.0.0.1:1' })
      expect(error.code).toBe(unavailable(service))
    })

    it('is one error without credentials, and nothing is sent', async () => {
      const error = await failure(service, () => 'nothing', {
        credentials: async () => {
          throw Object.assign(new Error('no credentials'), { name: 'CredentialsProviderError' })
        },
      })
      expect([error.code, requests]).toEqual(['CONFIGURATION', 0])
    })
  })

  it('is one error when no answer comes', async () => {
    const began = Date.now()
    const error = await failure('dynamodb', () => 'nothing')
    expect([error.code, error.message]).toEqual([
      'STORE_UNAVAILABLE',
      'dynamodb of eu-central-1 did not answer dynamodb:PutItem in time',
    ])
    expect(Date.now() - began).toBeGreaterThan(4500)
  })

  it('is TOO_LARGE for an item that is larger than DynamoDB takes', async () => {
    const message = 'Item size has exceeded the maximum allowed size'
    const error = await failure('dynamodb', () => json('ValidationException', 400, message))
    expect(error.code).toBe('TOO_LARGE')
  })

  it('names another region of a bucket', async () => {
    const error = await failure('s3', () => json('AuthorizationHeaderMalformed', 400))
    expect([error.code, error.message]).toEqual([
      'CONFIGURATION',
      'bucket ampere-entries is in another region than eu-central-1',
    ])
  })
})
