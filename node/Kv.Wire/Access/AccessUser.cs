using System.Net;
using Kv.Core.Security;

namespace Kv.Wire.Access;

/// <summary>
/// A user who has shown who it is, by the means that its sources named then. It is that user for as long as they name the same: a source that is changed, a new password or a deleted user
/// ends it. What it may do is looked up in the state that holds when it asks (<see cref="GrantTable"/>).
/// </summary>
public sealed class AccessUser
{
    private readonly IPAddress peer;
    private readonly Authentication means;

    /// <summary>Twice the number of the table that was looked at last, and one more where the login holds by it: both are read and written at once, and no state is kept in memory.</summary>
    private long seen;

    internal AccessUser(string name, IPAddress peer, Authentication means) => (Name, this.peer, this.means) = (name, peer, means);

    public string Name { get; }

    // hot
    internal bool HoldsIn(GrantTable table)
    {
        var last = Volatile.Read(ref seen);
        if (last >> 1 != table.Number)
        {
            last = (table.Number << 1) | (Authentication.Of(table.State, Name, peer).Equals(means) ? 1L : 0L);
            Volatile.Write(ref seen, last);
        }

        return (last & 1) == 1;
    }
}
