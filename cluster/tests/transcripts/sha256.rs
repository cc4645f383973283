//! SHA-256 (FIPS 180-4), with which transcripts shorten long payloads.

/// The digest of `bytes`.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());

    // The fractional parts of the roots of the first primes.
    let primes = || (2_u32..).filter(|n| (2..*n).all(|divisor| n % divisor != 0));
    let constants: Vec<u32> = primes().take(64).map(|n| fraction(n, 3)).collect();
    let mut state: Vec<u32> = primes().take(8).map(|n| fraction(n, 2)).collect();
    for block in padded.chunks(64) {
        mix(&mut state, block, &constants);
    }
    let mut digest = [0; 32];
    for (word, bytes) in state.iter().zip(digest.chunks_mut(4)) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// The first 32 bits after the point of the `degree`th root of `n`.
fn fraction(n: u32, degree: u32) -> u32 {
    // The largest root with 32 bits after the point, one bit after the other.
    let wanted = u128::from(n) << (32 * degree);
    let mut root = 0_u128;
    for bit in (0..38).rev() {
        let larger = root | 1 << bit;
        if larger.pow(degree) <= wanted {
            root = larger;
        }
    }
    (root & u128::from(u32::MAX)) as u32
}

fn mix(state: &mut [u32], block: &[u8], constants: &[u32]) {
    let mut words: Vec<u32> = block
        .chunks(4)
        .map(|bytes| {
            bytes
                .iter()
                .fold(0, |word, &byte| word << 8 | u32::from(byte))
        })
        .collect();
    for index in 16..64 {
        let (early, late) = (words[index - 15], words[index - 2]);
        let early = early.rotate_right(7) ^ early.rotate_right(18) ^ early >> 3;
        let late = late.rotate_right(17) ^ late.rotate_right(19) ^ late >> 10;
        let sum = words[index - 16].wrapping_add(early);
        words.push(sum.wrapping_add(words[index - 7]).wrapping_add(late));
    }
    let mut mixed = [0; 8];
    mixed.copy_from_slice(state);
    for (constant, word) in constants.iter().zip(words) {
        let [a, b, c, d, e, f, g, h] = mixed;
        let turned = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let chosen = e & f ^ !e & g;
        let first = h
            .wrapping_add(turned)
            .wrapping_add(chosen)
            .wrapping_add(*constant)
            .wrapping_add(word);
        let turned = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = a & b ^ a & c ^ b & c;
        let second = turned.wrapping_add(majority);
        let (new_a, new_e) = (first.wrapping_add(second), d.wrapping_add(first));
        mixed = [new_a, a, b, c, new_e, e, f, g];
    }
    for (word, mixed) in state.iter_mut().zip(mixed) {
        *word = word.wrapping_add(mixed);
    }
}

// Examples of the standard, and a length that leaves no room for the length in the last block.
#[test]
fn digests_are_those_of_the_standard() {
    let hex = |bytes: &[u8]| -> String {
        let digest = digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert_eq!(
        hex(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(
        hex(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    );
}
