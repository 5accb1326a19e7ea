import { Controller, Inject, Post, Req, UnauthorizedException } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';

/** Who asks, as the guard of your sign-in has put it there: a session, a cookie, a password. */
interface SignedIn {
  readonly user?: { readonly id: number; readonly tenantId: string };
}

@Controller('realtime')
export class TokenController {
  constructor(@Inject(JwtService) private readonly jwt: JwtService) {}

  @Post('token')
  token(@Req() { user }: SignedIn): { token: string } {
    if (!user) throw new UnauthorizedException();
    // Ids are text: a number would be refused.
    const claims = { sub: String(user.id), tenantId: user.tenantId };
    return { token: this.jwt.sign(claims, { expiresIn: '10m' }) };
  }
}
