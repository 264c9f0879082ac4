// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import { isAmpereError } from '#core/errors.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openInstitution } from '../../open/institution.ts'
import { connectInstitution } from '../../open/bridge.ts'
import { dataFolder } from '../../deployment/settings.ts'
import { pause as wait, type Cloud, type Plan } from '../../cloud/cloud.ts'
import {
  cloudFolder,
  readCloudDeployment,
  writeCloudDeployment,
  type CloudDeployment,
} from '../../cloud/cloud-folder.ts'
import type { OpenCloud } from '../../cloud/clouds.ts'
import { foundersPassphrase } from '../../cloud/founding.ts'
import { smokeTest, untilReady, type Smoke } from '../../cloud/smoke.ts'
import type { NamedInstitution } from '../../program/arguments.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'

export interface DeployOptions extends Common {
  readonly stage: string
  readonly region?: string
  readonly role: string
  /** Of Azure. */
  readonly subscription?: string
  readonly institution?: readonly NamedInstitution[]
  readonly param?: readonly string[]
  readonly plan?: boolean
  readonly demo?: boolean
}

/** Makes a deployment on a provider, or makes it what it should be now. @param pause waits so many milliseconds */
export function deployOn(open: OpenCloud, pause = wait) {
  return async (call: Call<DeployOptions>): Promise<number> => {
    const { screen, options } = call
    checkRole(options.role)
    const cloud = await open(screen.terminal.env)
    const folder = cloudFolder(dataFolder(options.data, screen.terminal.env), cloud.provider, options.stage)
    const wanted = wantedOf(cloud, readCloudDeployment(folder), options)
    const plan = await planOf(cloud, wanted, options.plan === true)
    if (options.plan === true) {
      screen.print({ ok: true, folder, ...plan }, plan.lines)
      return EXIT.ok
    }
    for (const line of plan.lines) screen.say(line)
    screen.stopping.keeps(() => 'What was begun stays; run the same command again, and it goes on.')
    const passphrase = await foundersPassphrase(folder, options, screen)
    const deployed = await cloud.deploy(wanted, { folder, passphrase, say: screen.say, pause })
    const smoke = await trySmoke(cloud, folder, deployed, { passphrase, pause })
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
}

/** What was given wrongly is so for every command: exit 2. @throws CommanderError (usage); as `Cloud.plan` */
async function planOf(cloud: Cloud, wanted: CloudDeployment, asks: boolean): Promise<Plan> {
  try {
    return await cloud.plan(wanted, asks)
  } catch (error) {
    // What a provider says of itself comes with what to do next.
    if (!isAmpereError(error, 'CONFIGURATION') || 'next' in error) throw error
    throw usage(error.message)
  }
}

/** @throws AmpereError UNSUPPORTED */
function checkRole(role: string): void {
  if (role === 'home') return
  throw refuse(
    'UNSUPPORTED',
    "an institution's bridge cannot be deployed to a cloud yet: it is not built",
    'leave out --role',
  )
}

/** What is asked for now, on top of what is remembered: parameters that are not given again stay. */
function wantedOf(cloud: Cloud, known: CloudDeployment | null, options: DeployOptions): CloudDeployment {
  const parameters = { ...known?.parameters, ...parametersOf(cloud, options.param ?? []) }
  const region = options.region ?? known?.region ?? cloud.region
  if (known && known.region !== region)
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
  if (known?.home && options.institution && !areSame(options.institution, known.institutions))
    throw usage(
      `the founders are in the registry already (${known.institutions.map(({ id }) => id).join(', ')}): leave out --institution`,
    )
  const subscription = options.subscription ?? known?.subscription
  return {
    v: 1,
    provider: cloud.provider,
    stage: options.stage,
    region,
    ...(known?.account === undefined ? {} : { account: known.account }),
    ...(subscription === undefined ? {} : { subscription }),
    parameters,
    institutions: institutions.map(({ id, name }) => ({ id, name })),
    demo: known?.demo ?? options.demo === true,
    ...(known?.home && known.trial !== undefined ? { trial: known.trial } : {}),
    home: known?.home ?? null,
  }
}

interface Founder {
  readonly id: string
  readonly name: string
}

/** The same command may be given again as it was. */
function areSame(given: readonly Founder[], known: readonly Founder[]): boolean {
  const listed = (founders: readonly Founder[]) => founders.map(({ id, name }) => `${id}=${name}`).join('\n')
  return listed(given) === listed(known)
}

function parametersOf(cloud: Cloud, given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw usage('a parameter is NAME=VALUE')
      const name = text.slice(0, at)
      if (!cloud.parameters.includes(name))
        throw usage(`there is no parameter ${name}; there are: ${cloud.parameters.join(', ')}`)
      return [name, text.slice(at + 1)]
    }),
  )
}

async function trySmoke(
  cloud: Cloud,
  folder: string,
  deployed: CloudDeployment,
  {
    passphrase,
    pause,
  }: { readonly passphrase: StretchedPassphrase; readonly pause: (ms: number) => Promise<void> },
): Promise<Smoke> {
  const { home, institutions } = deployed
  const [owner] = institutions
  if (!home || !owner)
    throw refuse('CONFIGURATION', 'the deployment was not set up', 'run the same command again')
  const fetch = cloud.reach(home.origin)
  await untilReady(home.origin, fetch, pause)
  const institution = await openInstitution(folder, owner.id, passphrase)
  const keys = home.log.map((key) => `log ${key}\n`)
  // Whoever tries it pins the keys that it made itself.
  const policy = parsePolicy([...keys, 'quorum none\n'].join(''))
  // Each further deployment goes on with the same record.
  const remember = (trial: ChainId) => writeCloudDeployment(folder, { ...deployed, trial })
  return smokeTest(connectInstitution(institution, home, fetch, { policy }), deployed, pause, remember)
}
