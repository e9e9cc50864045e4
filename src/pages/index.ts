/** The chat page at `/`, and what it loads. */
export { PagesModule } from './pages.module.js';
