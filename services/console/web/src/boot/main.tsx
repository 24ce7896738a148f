import '../app.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queries } from '../api/queries';
import { dressPage } from '../shell/preferences';
import { router } from './routes';

dressPage();

// Chunks have no hash in their names: after an upgrade an old page may fail to
// load one. One reload brings the new page; a second failure is a real one.
addEventListener('vite:preloadError', (event) => {
  if (sessionStorage.getItem('weftline.reloaded')) return;
  sessionStorage.setItem('weftline.reloaded', '1');
  event.preventDefault();
  location.reload();
});
addEventListener('load', () => setTimeout(() => sessionStorage.removeItem('weftline.reloaded'), 10_000));

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
