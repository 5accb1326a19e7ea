import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { io, type Socket } from 'socket.io-client';

const SocketContext = createContext<{ socket: Socket } | null>(null);

export function SocketProvider({ children }: { children: ReactNode }) {
  // finds: no-socket-in-render
  const [socket] = useState(io('/notifications', { auth: { token: 'from-session' } }));
  return <SocketContext.Provider value={{ socket }}>{children}</SocketContext.Provider>;
}

export function useSocket() {
  const context = useContext(SocketContext);
  if (!context) throw new Error('No SocketProvider');
  return context;
}

export function Presence() {
  const [count, setCount] = useState(0);
  // finds: no-token-in-local-storage
  const token = localStorage.getItem('token');
  // finds: no-socket-in-render, no-cleartext-connection, no-captured-token
  const presence = io('http://presence.example.com/presence', { auth: { token } });

  useEffect(() => {
    // finds: require-socket-cleanup
    const counter = io('/counter');
    counter.on('count', setCount);
    counter.on('connect_error', () => setCount(0));
  }, []);

  return (
    <p>
      {count} {presence.id}
    </p>
  );
}
