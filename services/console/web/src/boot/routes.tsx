import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { Desk } from '../shell/Desk';
import { Broken } from '../shell/Broken';
import { Missing } from '../shell/Missing';
import { Shell } from '../shell/Shell';
import { parseAddress, readMoment, readQueueSearch, readWords } from '../shell/address';

const root = createRootRoute({ component: Shell, notFoundComponent: Missing });

const home = createRoute({ getParentRoute: () => root, path: '/', beforeLoad: () => { throw redirect({ to: '/inbox', replace: true }); } });

const desk = createRoute({ getParentRoute: () => root, id: 'desk', component: Desk, validateSearch: readQueueSearch });
const queue = createRoute({ getParentRoute: () => desk, path: '/inbox' });
const conversation = createRoute({
  getParentRoute: () => desk, path: '/c/$conversationId',
  // at: ms; the timeline opens there instead of at its end.
  validateSearch: readMoment,
});

const search = createRoute({
  getParentRoute: () => root, path: '/search',
  validateSearch: readWords,
  component: lazyRouteComponent(() => import('../search/SearchPage'), 'SearchPage'),
});
const customers = createRoute({
  getParentRoute: () => root, path: '/customers',
  component: lazyRouteComponent(() => import('../customer/CustomersPage'), 'CustomersPage'),
});
const customer = createRoute({
  getParentRoute: () => root, path: '/customers/$customerId',
  component: lazyRouteComponent(() => import('../customer/CustomerPage'), 'CustomerPage'),
});
const settings = createRoute({ getParentRoute: () => root, path: '/settings', component: lazyRouteComponent(() => import('../settings/SettingsPage'), 'SettingsPage') });
const settingsHome = createRoute({ getParentRoute: () => settings, path: '/', beforeLoad: () => { throw redirect({ to: '/settings/inboxes', replace: true }); } });
const inboxes = createRoute({ getParentRoute: () => settings, path: '/inboxes', component: lazyRouteComponent(() => import('../settings/InboxesPage'), 'InboxesPage') });
const agents = createRoute({ getParentRoute: () => settings, path: '/agents', component: lazyRouteComponent(() => import('../settings/AgentsPage'), 'AgentsPage') });
const tokens = createRoute({ getParentRoute: () => settings, path: '/tokens', component: lazyRouteComponent(() => import('../settings/TokensPage'), 'TokensPage') });
const audit = createRoute({ getParentRoute: () => settings, path: '/audit', component: lazyRouteComponent(() => import('../settings/AuditPage'), 'AuditPage') });
const privacy = createRoute({ getParentRoute: () => settings, path: '/privacy', component: lazyRouteComponent(() => import('../settings/PrivacyPage'), 'PrivacyPage') });
const repeats = createRoute({ getParentRoute: () => settings, path: '/repeats', component: lazyRouteComponent(() => import('../settings/RepeatsPage'), 'RepeatsPage') });
const mine = createRoute({ getParentRoute: () => settings, path: '/mine', component: lazyRouteComponent(() => import('../settings/MinePage'), 'MinePage') });

export const router = createRouter({
  routeTree: root.addChildren([
    home, desk.addChildren([queue, conversation]), search, customers, customer, settings.addChildren([settingsHome, inboxes, agents, tokens, audit, privacy, repeats, mine]),
  ]),
  parseSearch: parseAddress,
  defaultPreload: 'intent',
  defaultErrorComponent: Broken,
  scrollRestoration: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
