// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { AmpereError } from '#core/errors.ts'
import { failureOf } from '#infra/deploy/aws/failure.ts'

const named = (name: string, message = 'what AWS said, with an ARN', code?: string) =>
  Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) })

describe('what went wrong with AWS', () => {
  it.each([
    [named('CredentialsProviderError'), 'there are no credentials for AWS', /AWS_PROFILE/],
    [named('ExpiredTokenException'), 'the credentials for AWS have expired', /aws sso login/],
    [named('InvalidClientTokenId'), 'AWS does not know these credentials', /AWS_PROFILE/],
    [named('RequestExpired'), 'the clock of this computer is wrong', /time server/],
    [named('OptInRequired'), 'the region is not one that this account uses', /--region/],
    [named('Error', 'x', 'ENOTFOUND'), 'AWS is not reached', /network/],
    [named('LimitExceededException'), 'a quota of the account is used up', /ask AWS/],
    [named('Throttling'), 'AWS answers too slowly now', /in a minute/],
    [
      named(
        'AccessDenied',
        'User: arn:aws:iam::1:user/x is not authorized to perform: cloudformation:CreateStack on resource: y',
      ),
      'this account may not cloudformation:CreateStack',
      /docs\/OPERATIONS/,
    ],
    [named('ValidationError'), 'AWS refused: ValidationError', /--debug/],
  ])('is said in one line, with what to do: %s', (error, says, next) => {
    const failure = failureOf(error)
    expect(failure).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(says) })
    expect(failure.next).toMatch(next)
    expect(failure.message).not.toContain('\n')
    expect(failure.message).not.toContain('arn:')
  })

  it('stays what it was where it was understood before', () => {
    const known = new AmpereError('STORE_UNAVAILABLE', 'the store does not answer')
    expect(failureOf(known)).toBe(known)
  })

  it('is told also where it is no error at all', () => {
    for (const odd of [undefined, null, 'text', 7, {}]) expect(failureOf(odd).code).toBe('CONFIGURATION')
  })
})
