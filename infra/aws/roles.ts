// SPDX-License-Identifier: Apache-2.0
import { moverPolicy, policyOf, setUpPolicy, type Statement } from '#infra/permissions/aws/policy.ts'
import { SET_UP } from './keys.ts'
import { filledIn, logicalId, referencesOf, type Resource, type Resources } from './references.ts'
import type { AwsSettings } from './settings.ts'

const ACCOUNT = { AWS: 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root' }

/** A role for each identity, with exactly its policy. */
export function roles({ prefix, identities, native }: AwsSettings): Resources {
  const names = referencesOf(prefix, 'functions')
  return Object.fromEntries(
    identities.map((identity) => [
      logicalId(identity.name, 'Role'),
      role(
        names.functionName(identity.name),
        { Service: 'lambda.amazonaws.com' },
        policyOf(identity, names, native),
      ),
    ]),
  )
}

/**
 * The roles that people and their jobs take on: of whoever sets the deployment up, of whoever backs its home up and, while that
 * moves, of whoever migrates it.
 */
export function operatorRoles({ prefix, identities, mover, backup, native }: AwsSettings): Resources {
  const names = referencesOf(prefix, 'stores')
  const taken = (name: string, statements: readonly Statement[]): Resources => ({
    [logicalId(name, 'Role')]: role(names.functionName(name), ACCOUNT, statements),
  })
  return {
    ...taken(SET_UP, setUpPolicy(identities, names, native)),
    ...(backup && taken(backup.name, moverPolicy(backup, names, native))),
    ...(mover && taken(mover.name, moverPolicy(mover, names, native))),
  }
}

function role(RoleName: string, Principal: object, statements: readonly Statement[]): Resource {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      RoleName,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: filledIn(Principal), Action: 'sts:AssumeRole' }],
      },
      Policies: [
        { PolicyName: 'needs', PolicyDocument: { Version: '2012-10-17', Statement: filledIn(statements) } },
      ],
    },
  }
}
