// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openFollowing } from './alone.ts'

onAzure(
  'follower',
  { wakes: openFollowing },
  {
    schedule: '45 * * * * *',
    rests: { schedule: '45 47 * * * *', while: ({ follows }) => !follows },
  },
)
