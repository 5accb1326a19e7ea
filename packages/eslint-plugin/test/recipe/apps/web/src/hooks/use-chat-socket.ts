import { useEffect, useRef, useState } from 'react';
import { io, type Socket } from 'socket.io-client';
import { useSocket } from './socket-context';

export interface Message {
  id: string;
  text: string;
}

export function useChatSocket(token: string, onMessage: (message: Message) => void) {
  const socketRef = useRef<Socket | null>(null);
  const [connected, setConnected] = useState(false);

  useEffect(() => {
    // finds: require-connect-error-handler
    const socket = io(`${process.env.NEXT_PUBLIC_API_URL}/chat`, {
      // finds: no-token-in-url
      query: { token },
      // finds: websocket-only
      transports: ['polling', 'websocket'],
      // finds: no-limited-reconnection
      reconnectionAttempts: 5,
    });
    socketRef.current = socket;
    socket.on('connect', () => setConnected(true));
    socket.on('disconnect', () => setConnected(false));
    socket.on('message.created', onMessage);
    return () => {
      socket.disconnect();
    };
    // finds: no-callback-in-effect-deps
  }, [token, onMessage]);

  return { connected, socket: socketRef };
}

export function useTyping() {
  const { socket } = useSocket();
  const [typing, setTyping] = useState<string[]>([]);

  useEffect(() => {
    const onTyping = (user: string) => setTyping((users) => [...users, user]);
    const onStopped = () => setTyping([]);
    socket.on('typing', onTyping);
    socket.on('typing.stopped', onStopped);
    return () => {
      // finds: no-off-without-handler
      socket.off('typing');
      socket.off('typing.stopped', onStopped);
    };
  }, [socket]);

  return typing;
}

export function useRoom(room: string, show: (message: Message) => void) {
  const { socket } = useSocket();

  useEffect(() => {
    // finds: require-rejoin
    socket.emit('room.join', { room });
    // finds: require-listener-cleanup
    socket.on('message.created', show);
  }, [socket, room, show]);
}
