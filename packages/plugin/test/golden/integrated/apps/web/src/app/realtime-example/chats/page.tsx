import { ChatsExample } from '../../../features/chats/example/chats-example';

export default function ChatsPage() {
  return <ChatsExample />;
}
