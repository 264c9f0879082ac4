// SPDX-License-Identifier: Apache-2.0
import { AWS_NATIVE, KEY_ACTIONS, OBJECT_ACTIONS, STREAM_ACTIONS, TABLE_ACTIONS } from './aws/policy.ts'
import { actionsOf, OBJECT_ROLES, TABLE_ROLES, type RoleName } from './azure/roles.ts'
import { custodyOf, grantsOf, type Grant } from './grants.ts'
import { BACKUP, identitiesOf, moverOf, type Identity } from './identities.ts'

const INTRODUCTION = `# What each role may do

Written by \`npm run docs\` from the needs of the roles (functions/ROLE/role.ts); a test says when it is not up to date. Each role is an
identity of its own: an IAM role, a managed identity. What is not listed is denied. No permission is for more than one
deployment, and none is for every table, bucket or key.

Beside what is listed, on AWS each role that reads or writes tables or buckets may have the data key that encrypts them
decrypt (\`kms:Decrypt\`, and \`kms:GenerateDataKey\` where it stores objects), through DynamoDB and S3 only
(\`kms:ViaService\`); may tell whether an object is there (\`s3:ListBucket\` on the same bucket); and writes its own log.
Software keys are seeds that lie wrapped in the table \`keys\`: a role reads the row of its own key (\`dynamodb:LeadingKeys\`)
and has it unwrapped under the name of that key alone (\`kms:EncryptionContext:ampere-key\`). On Azure a role that has a software key can read every
wrapped seed, because roles end at a container, and can unwrap only its own, because each has its own key in the vault.
Whoever sets a deployment up adds rows to \`keys\` and wraps seeds, which no role does, and begins the registry.

Two things that permissions cannot say, and that signed hashes catch: \`dynamodb:PutItem\` and \`blobs/write\` also replace, where an adapter
sends them with the condition that nothing is there; IAM and Azure know no permission that demands the condition. An item of Cosmos DB that is
there, \`items/create\` does not replace.
`

const MOVERS = `## Whoever migrates a home

What \`npx ampere migrate\` does in a cloud, by the operator's own sign-in, and no function: the receiver fills a home that nothing serves yet, the leaver empties one. On AWS
each is a role that the stack of what is kept has only while a home moves; on Azure assignments to whoever deploys, which the end of the move, or the next deployment, deletes.
`

const BACKUPS = `## Whoever backs a home up

What \`npx ampere backup --cloud\` and the drill of a restore do, by the sign-in of whoever runs them, and no function. On AWS it is the role \`ampere-STAGE-backup\`; on Azure
assignments to the principal that the parameter \`backupPrincipal\` names, and to nobody where it is empty. It is always there, so that a job that backs up each night needs no right to make one.
`

/** Of data actions, what is the same in all of a service. */
const SHORTENED =
  /^Microsoft\.(?:DocumentDB\/databaseAccounts|Storage\/storageAccounts\/blobServices(?:\/containers)?|KeyVault\/vaults)\/(?:sqlDatabases\/containers\/)?/

/** docs/PERMISSIONS.md: for each role, each thing it uses, how, and what that is on AWS and on Azure. */
export function permissionsDocument(): string {
  const home = identitiesOf('home')
  const bridge = identitiesOf('bridge')
  return [
    INTRODUCTION,
    '## Roles of a home\n',
    ...home.map(section),
    "## Roles of an institution's bridge\n",
    ...bridge.map(section),
    MOVERS,
    ...(['receives', 'leaves'] as const).map((moves) => section(moverOf(moves))),
    BACKUPS,
    section(BACKUP),
  ].join('\n')
}

function section(identity: Identity): string {
  const rows = grantsOf(identity).map((grant) => `| ${cells(grant).join(' | ')} |`)
  return [`### ${identity.name}`, '', '| what | how | AWS | Azure |', '|---|---|---|---|', ...rows, ''].join(
    '\n',
  )
}

function cells(grant: Grant): readonly string[] {
  switch (grant.kind) {
    case 'table':
      return [
        `table \`${grant.name}\``,
        grant.access,
        code(TABLE_ACTIONS[grant.access]),
        azure(TABLE_ROLES[grant.access]),
      ]
    case 'objects':
      return [
        `objects \`${grant.name}\``,
        grant.access,
        code(OBJECT_ACTIONS[grant.access]),
        azure(OBJECT_ROLES[grant.access]),
      ]
    case 'signs':
      return [
        `uploads into \`${grant.name}\``,
        'signs',
        'with its own `s3:PutObject`',
        `of the account: ${azure('uploads-sign')}, with its own \`blobs/write\``,
      ]
    case 'changes':
      return [
        `changes of \`${grant.name}\``,
        'is woken',
        `${code(STREAM_ACTIONS)}, \`sqs:SendMessage\` to its dead letters`,
        `${azure('changes-read')}; of \`leases\`: ${azure('changes-lease')}`,
      ]
    case 'key': {
      const custody = custodyOf(grant.name, grant.access, AWS_NATIVE)
      const how = custody === 'software' ? `${grant.access}, software key` : grant.access
      const inVault = azure(custody === 'service' ? 'key-sign' : 'key-unwrap')
      const inCloud = custody === 'software' ? `of \`keys\`: ${azure('table-read')}; ${inVault}` : inVault
      return [`key \`${grant.name}\``, how, code(KEY_ACTIONS[custody]), inCloud]
    }
  }
}

function azure(role: RoleName): string {
  return code(actionsOf(role).map((action) => action.replace(SHORTENED, '')))
}

function code(actions: readonly string[]): string {
  return actions.map((action) => `\`${action}\``).join(', ')
}
