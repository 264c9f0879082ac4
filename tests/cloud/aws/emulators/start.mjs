// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const CACHE = join(homedir(), '.cache', 'ampere')
const INSTALL_MS = 300_000
const START_MS = 60_000

/**
 * What is installed once, beside all worktrees, and started for each run. `AMPERE_AWS_NAME` tells the tests where it is;
 * `AMPERE_AWS_NAME_MISSING` why it is not.
 */
const EMULATORS = [
  {
    name: 'MINISTACK',
    what: 'MiniStack, by python3 with venv and pip',
    pins: 'requirements.txt',
    install: (at) => [
      ['python3', '-m', 'venv', at],
      [
        join(at, 'bin/pip'),
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '-r',
        join(folder, 'requirements.txt'),
      ],
    ],
    command: (at) => [join(at, 'bin/ministack')],
    env: (port) => ({
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      LAMBDA_EXECUTOR: 'local',
      // Both would listen on ports of their own.
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
    }),
    ready: '/_ministack/health',
  },
  {
    name: 'DYNAMODB',
    what: 'DynamoDB Local, by java (17) and mvn',
    pins: 'pom.xml',
    install: (at) => [
      ['java', '-version'],
      [
        'mvn',
        '-q',
        '-f',
        join(folder, 'pom.xml'),
        'dependency:copy-dependencies',
        `-DoutputDirectory=${join(at, 'lib')}`,
      ],
    ],
    command: (at, port) => [
      'java',
      `-Djava.library.path=${join(at, 'lib')}`,
      '-cp',
      join(at, 'lib/*'),
      'software.amazon.dynamodb.services.local.main.ServerRunner',
      '-port',
      String(port),
      '-inMemory',
      '-disableTelemetry',
    ],
    env: () => ({ DDB_LOCAL_TELEMETRY: '0' }),
    ready: '/',
  },
]

/** Jest's global setup: one of each emulator for a run. */
// oxlint-disable-next-line import/no-default-export
export default async function start() {
  const children = []
  globalThis.ampereEmulators = children
  process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))
  for (const emulator of EMULATORS) {
    const key = `AMPERE_AWS_${emulator.name}`
    try {
      process.env[key] = await run(emulator, installOnce(emulator), children)
    } catch (error) {
      process.env[`${key}_MISSING`] = `${emulator.what}: ${error.message}`
      process.stderr.write(`   NOT STARTED: ${process.env[`${key}_MISSING`]}. Its tests are skipped.\n`)
    }
  }
}

/** Installs what is pinned, unless it is there already. @returns the folder */
function installOnce({ name, what, pins, install }) {
  const pinned = readFileSync(join(folder, pins))
  const at = join(
    CACHE,
    `${name.toLowerCase()}-${createHash('sha256').update(pinned).digest('hex').slice(0, 12)}`,
  )
  const stamp = join(at, '.ampere-installed')
  if (existsSync(stamp)) return at
  process.stderr.write(`Installing ${what} (once, one to three minutes) ...\n`)
  mkdirSync(CACHE, { recursive: true })
  for (const [command, ...args] of install(at)) {
    const done = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: INSTALL_MS })
    if (done.status === 0) continue
    rmSync(at, { recursive: true, force: true })
    const why = done.error?.message ?? String(done.stderr).trim().split('\n').at(-1)
    throw new Error(`"${command} ${args[0]} ..." failed (${why})`)
  }
  writeFileSync(stamp, '')
  return at
}

async function run({ command, env, ready }, at, children) {
  const port = await freePort()
  const [program, ...args] = command(at, port)
  const cwd = mkdtempSync(join(tmpdir(), 'ampere-emulator-'))
  const log = join(cwd, 'log')
  const into = openSync(log, 'w')
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env(port) },
    stdio: ['ignore', into, into],
  })
  children.push(child)
  const ended = new Promise((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`it ended with ${code}, see ${log}`)))
  })
  const url = `http://127.0.0.1:${port}`
  await Promise.race([ended, answering(url + ready)])
  ended.catch((error) => {
    if (!child.killed) process.stderr.write(`   ${program}: ${error.message}\n`)
  })
  return url
}

async function answering(url) {
  for (const since = Date.now(); Date.now() - since < START_MS;) {
    if (await answers(url)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`it did not answer within ${START_MS / 1000} s`)
}

async function answers(url) {
  try {
    await fetch(url, { signal: AbortSignal.timeout(5000) })
    return true
  } catch {
    return false
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
