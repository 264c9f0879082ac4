// SPDX-License-Identifier: Apache-2.0
import { parsePolicy } from '#core/log/policy/policy.ts'
import { openInstitution } from '../../open/institution.ts'
import { connectInstitution } from '../../open/bridge.ts'
import { dataFolder } from '../../deployment/settings.ts'
import {
  cloudFolder,
  readCloudDeployment,
  writeCloudDeployment,
  type CloudDeployment,
} from '../../cloud/cloud-folder.ts'
import { deployAws } from '../../cloud/deploy-aws.ts'
import { foundersPassphrase } from '../../cloud/founders.ts'
import { planAws } from '../../cloud/plan-aws.ts'
import { reachHome } from '../../cloud/reach.ts'
import { smokeTest, untilReady, type Smoke } from '../../cloud/smoke.ts'
import type { NamedInstitution } from '../../program/arguments.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

export interface DeployOptions extends Common {
  readonly stage: string
  readonly region: string
  readonly institution?: readonly NamedInstitution[]
  readonly param?: readonly string[]
  readonly plan?: boolean
  readonly demo?: boolean
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Makes a deployment on AWS, or makes it what it should be now. */
export async function deployOnAws(call: Call<DeployOptions>): Promise<number> {
  const { screen, options } = call
  const folder = cloudFolder(dataFolder(options.data, screen.terminal.env), 'aws', options.stage)
  const wanted = wantedOf(readCloudDeployment(folder), options)
  const plan = planAws(wanted)
  if (options.plan === true) {
    screen.print({ ok: true, folder, ...plan }, plan.lines)
    return EXIT.ok
  }
  for (const line of plan.lines) screen.say(line)
  screen.stopping.keeps(() => 'What was begun stays; run the same command again, and it goes on.')
  const passphrase = await foundersPassphrase(folder, options, screen)
  writeCloudDeployment(folder, wanted)
  const deployed = await deployAws(wanted, { folder, passphrase, say: screen.say, pause })
  const smoke = await trySmoke(folder, deployed, passphrase, screen.terminal.env)
  const { home } = deployed
  screen.print({ ok: true, folder, origin: home?.origin, registry: home?.registry, smoke }, [
    `Deployed: ${home?.origin}`,
    `  Registry  ${home?.registry}`,
    `  Tried     a record of ${smoke.blocks} blocks: append ${smoke.appendMs} ms, receipt after ${smoke.receiptMs} ms, read back and verified`,
    `  Keys      of the institutions, in ${folder}: keep a copy offline`,
    `Next: whoever verifies pins this registry; run the same command after every update`,
  ])
  return EXIT.ok
}

/** What is asked for now, on top of what is remembered: parameters that are not given again stay. */
function wantedOf(known: CloudDeployment | null, options: DeployOptions): CloudDeployment {
  const parameters = { ...known?.parameters, ...parametersOf(options.param ?? []) }
  checkSupported(parameters)
  if (known && known.region !== options.region)
    throw refuse(
      'ALREADY_EXISTS',
      `this stage is deployed in ${known.region}`,
      `give --region ${known.region}, or another --stage`,
    )
  if (known?.home && (parameters['nativeKeys'] ?? '') !== (known.parameters['nativeKeys'] ?? ''))
    throw refuse(
      'ALREADY_EXISTS',
      'the keys of the log and the witness are made once: others know them',
      'leave out --param nativeKeys',
    )
  const institutions = options.institution ?? known?.institutions
  if (!institutions || institutions.length === 0)
    throw usage('a new deployment needs its founders: --institution ID=NAME, the first runs the home')
  if (known?.home && options.institution)
    throw usage('the founders are in the registry already; institutions join it there')
  return {
    v: 1,
    provider: 'aws',
    stage: options.stage,
    region: options.region,
    parameters,
    institutions: institutions.map(({ id, name }) => ({ id, name })),
    demo: known?.demo ?? options.demo === true,
    home: known?.home ?? null,
  }
}

/** What the template can be made for and this command cannot set up yet. @throws AmpereError UNSUPPORTED */
function checkSupported({ deploys = 'home' }: Readonly<Record<string, string>>): void {
  if (deploys !== 'home')
    throw refuse('UNSUPPORTED', 'only a home can be deployed yet, no bridge', 'leave out --param deploys')
}

function parametersOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw usage('a parameter is NAME=VALUE')
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

async function trySmoke(
  folder: string,
  deployed: CloudDeployment,
  passphrase: Parameters<typeof openInstitution>[2],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Smoke> {
  const { home, institutions } = deployed
  const [owner] = institutions
  if (!home || !owner)
    throw refuse('CONFIGURATION', 'the deployment was not set up', 'run the same command again')
  const fetch = reachHome(home.origin, env)
  await untilReady(home.origin, fetch, pause)
  const institution = await openInstitution(folder, owner.id, passphrase)
  const keys = home.log.map((key) => `log ${key}\n`)
  // Whoever tries it pins the keys that it made itself.
  const policy = parsePolicy([...keys, 'quorum none\n'].join(''))
  return smokeTest(connectInstitution(institution, home, fetch, { policy }), deployed, pause)
}
