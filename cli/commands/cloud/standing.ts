// SPDX-License-Identifier: Apache-2.0
import { whoAmI } from '#infra/deploy/aws/account.ts'
import { openStacks, type Stacks } from '#infra/deploy/aws/stacks.ts'
import { removeFunctions } from '#infra/deploy/aws/functions.ts'
import { stackName } from '#infra/aws/references.ts'
import { settingsOf } from '#infra/aws/settings.ts'
import { cloudFolder, readCloudDeployment, type CloudDeployment } from '../../cloud/cloud-folder.ts'
import { reachHome } from '../../cloud/reach.ts'
import { readiness } from '../../cloud/smoke.ts'
import { dataFolder } from '../../deployment/settings.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

export interface StageOptions extends Common {
  readonly stage: string
}
export type DestroyOptions = StageOptions & GraveOptions

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Says how a deployment on AWS stands: its stacks, and what the home itself says. Changes nothing. */
export async function statusOnAws(call: Call<StageOptions>): Promise<number> {
  const { screen, options } = call
  const known = remembered(call)
  const { region, stage, home } = known
  await whoAmI(region)
  const stacks = openStacks(region, pause)
  const [stores, functions] = await standing(stacks, known).finally(stacks.close)
  const says = home
    ? await readiness(home.origin, reachHome(home.origin, screen.terminal.env))
    : 'it was not set up'
  const ok = says === 'ok' && isWhole(stores) && isWhole(functions)
  const origin = home?.origin ?? null
  screen.print({ ok, stage, region, origin, registry: home?.registry ?? null, stores, functions, says }, [
    `${stackName(prefixOf(known), 'stores')}  ${stores ?? 'not there'}`,
    `${stackName(prefixOf(known), 'functions')}  ${functions ?? 'not there'}`,
    `${origin ?? 'no address'}  ${says === 'ok' ? 'ready, and its log is written' : says}`,
    ...(ok ? [] : [`Next: npx ampere deploy aws --stage ${options.stage}`]),
  ])
  return ok ? EXIT.ok : EXIT.failed
}

/** Removes what runs. Tables, buckets, keys and the address stay, so that the same deployment can be made again. */
export async function destroyOnAws(call: Call<DestroyOptions>): Promise<number> {
  const { screen, options } = call
  const known = remembered(call)
  const { region, stage, parameters, home } = known
  const { account } = await whoAmI(region)
  const functions = stackName(prefixOf(known), 'functions')
  const says = [
    `Account ${account}, ${region}: removes all functions, their roles and alarms (stack ${functions}).`,
    `Keeps every table, bucket and key, and the address ${home?.origin ?? ''} (stack ${stackName(prefixOf(known), 'stores')}).`,
    'Nobody is answered until it is deployed again.',
  ]
  if (!(await confirmGrave(screen, options, { says, name: stage }))) {
    screen.print({ ok: true, dryRun: true, stage, removed: false }, ['Nothing was removed.'])
    return EXIT.ok
  }
  await removeFunctions({ stage, region, parameters })
  screen.print({ ok: true, dryRun: false, stage, removed: true }, [
    `Removed: ${functions}`,
    `Next: npx ampere deploy aws --stage ${stage}, which makes it again with all that was kept`,
  ])
  return EXIT.ok
}

function remembered({ screen, options }: Call<StageOptions>): CloudDeployment {
  const folder = cloudFolder(dataFolder(options.data, screen.terminal.env), 'aws', options.stage)
  const known = readCloudDeployment(folder)
  if (known) return known
  throw refuse(
    'NOT_FOUND',
    `nothing was deployed as ${options.stage} from this data folder`,
    'npx ampere deploy aws, or name another folder: --data FOLDER',
  )
}

async function standing(stacks: Stacks, known: CloudDeployment): Promise<readonly (string | null)[]> {
  const names = (['stores', 'functions'] as const).map((stack) => stackName(prefixOf(known), stack))
  const found = await Promise.all(names.map(stacks.find))
  return found.map((stack) => stack?.status ?? null)
}

function isWhole(status: string | null | undefined): boolean {
  return /^(CREATE|UPDATE)_COMPLETE$/.test(status ?? '')
}

function prefixOf({ stage, parameters }: CloudDeployment): string {
  return settingsOf(stage, parameters).prefix
}
