// SPDX-License-Identifier: Apache-2.0
import { openAws } from '#adapters/aws/open.ts'
import type { AwsNaming } from '#adapters/aws/clients/naming.ts'
import type { ObjectsName, Platform } from '#core/ports/needs.ts'
import { takeOn } from '#infra/deploy/aws/account.ts'
import { failure } from '#infra/deploy/failure.ts'
import { withStacks, type Stack } from '#infra/deploy/aws/stacks.ts'
import { SET_UP, signingKeys } from '#infra/aws/keys.ts'
import { logicalId } from '#infra/aws/references.ts'
import { settingsOf } from '#infra/aws/settings.ts'
import { storesTemplateOf } from '#infra/aws/template.ts'
import { bucketNameOf } from '#infra/permissions/aws/names.ts'
import { moverOf, type Identity, type Moves } from '#infra/permissions/identities.ts'
import type { CloudDeployment } from '../cloud-folder.ts'
import type { Deploying } from '../cloud.ts'
import { stackOf } from './stack-of.ts'

/**
 * Makes the stack of what a deployment keeps what its template says.
 * @param moves what is done with its home; where it is null, nobody can take on the role of whoever migrated any more
 * @throws DeployFailure
 */
export async function applyStores(
  { stage, region, parameters }: CloudDeployment,
  { pause }: Pick<Deploying, 'pause'>,
  moves: Moves | null = null,
): Promise<Stack> {
  const template = storesTemplateOf(stage, parameters, moves)
  const name = stackOf({ stage, parameters }, 'stores')
  return withStacks(region, pause, (stacks) => stacks.apply(name, template))
}

/** Where the home is reached. @throws DeployFailure */
export function originOf(stores: Stack): string {
  return required(stores, 'HttpApiUrl')
}

/** What is kept, for the role that sets up, which alone may make keys. @throws DeployFailure */
export function openSettingUp(known: CloudDeployment, stores: Stack, account: string): Platform {
  return openAs(known, stores, account, SET_UP, true)
}

/** What is kept, for the role of whoever migrates. @throws DeployFailure where nothing moves */
export function openMoving(known: CloudDeployment, stores: Stack, account: string, moves: Moves): Platform {
  return openAs(known, stores, account, moverOf(moves).name, false)
}

function openAs(
  known: CloudDeployment,
  stores: Stack,
  account: string,
  role: string,
  makesKeys: boolean,
): Platform {
  const { region } = known
  const arn = required(stores, `${logicalId(role, 'Role')}Arn`)
  // They end within the hour, and a home may take longer to copy.
  const credentials = () => takeOn(arn, region)
  return openAws({ region, naming: namingOf(known, stores, account), credentials, makesKeys })
}

function namingOf({ stage, region, parameters }: CloudDeployment, stores: Stack, account: string): AwsNaming {
  const settings = settingsOf(stage, parameters)
  const { prefix, identities } = settings
  const wrappingKey = required(stores, 'WrappingKeyArn')
  const kms = signingKeys(settings).map((name) => [name, required(stores, `${logicalId(name, 'Key')}Arn`)])
  const opened = settings.deploys === 'home' ? {} : { sealing: wrappingKey }
  return {
    prefix,
    buckets: bucketsOf(identities, { prefix, account, region }),
    keys: {
      kms: { ...Object.fromEntries(kms), ...opened },
      softwareKeys: { table: `${prefix}-keys`, wrappingKey },
    },
  }
}

/** The buckets of all that these identities use. */
export function bucketsOf(
  identities: readonly Pick<Identity, 'needs'>[],
  place: Parameters<typeof bucketNameOf>[0],
): Readonly<Record<string, string>> {
  const objects = identities.flatMap(({ needs }) => Object.keys(needs.objects) as ObjectsName[])
  return Object.fromEntries(objects.map((name) => [name, bucketNameOf(place, name)]))
}

function required({ outputs }: Stack, name: string): string {
  const value = outputs[name]
  if (value !== undefined && value !== '') return value
  throw failure(
    `the stack of what is kept does not say ${name}`,
    'run this again with this version of Ampere',
  )
}
