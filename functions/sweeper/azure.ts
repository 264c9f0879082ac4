// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openSweeping } from './alone.ts'

onAzure('sweeper', { wakes: openSweeping }, { schedule: '0 37 * * * *' })
