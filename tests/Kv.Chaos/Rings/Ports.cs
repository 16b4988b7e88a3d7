namespace Kv.Chaos.Rings;

/// <summary>A node's ports: the well-known ones, since each has an address of its own.</summary>
internal static class Ports
{
    public const int Grpc = 9080;
    public const int Peer = 9081;
    public const int Admin = 9082;
    public const int RiakPb = 8087;
    public const int RiakHttp = 8098;
    public const int Metrics = 9464;
}
